// The embedded default: transport and ledger in one durable local store.

export { backup } from './backup.js';
export { embedded, embeddedLedger, embeddedTransport } from './embedded.js';
export type { EmbeddedOptions } from './handle.js';
