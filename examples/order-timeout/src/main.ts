throw new Error('order-timeout is not written yet.');

export {};
