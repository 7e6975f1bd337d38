throw new Error('shop-replay is not written yet.');

export {};
