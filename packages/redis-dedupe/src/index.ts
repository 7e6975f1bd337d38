export { redis } from './redis.js';
export type { RedisLedgerOptions } from './options.js';
