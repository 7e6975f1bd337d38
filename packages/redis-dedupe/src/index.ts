export { redis } from './redis.js';
export type { Concern, Finding } from './fitness.js';
export type { RedisLedgerOptions } from './options.js';
export type { RedisLedger } from './redis-ledger.js';
