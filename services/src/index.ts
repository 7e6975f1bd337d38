export { startPostgres } from './postgres.js';
export type { PostgresOptions, PostgresServer } from './postgres.js';
export { freePort } from './ports.js';
export { startRedis } from './redis.js';
export type { RedisConfig, RedisOptions, RedisServer } from './redis.js';
export type { Server, StartOptions } from './server-process.js';
