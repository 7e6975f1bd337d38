// Effects that happen exactly once: where the effect and its record commit together, or where the resource remembers.

export { callKey } from './call-key.js';
export type { Execution } from './execution.js';
export type { RedisCommand } from './redis-command.js';
export { RedisEffect, redisEffect } from './redis-effect.js';
export { RedisInbox, redisInbox } from './redis-inbox.js';
export type { RedisClient, RedisEffectOptions, RedisInboxOptions } from './redis-inbox.js';
export type { SqlAnswer, SqlClient, SqlConnection, SqlPool } from './sql-client.js';
export { SqlFence, sqlFence } from './sql-fence.js';
export type { SqlFenceOptions } from './sql-fence.js';
export { SqlInbox, sqlInbox } from './sql-inbox.js';
export type { SqlInboxEntry, SqlInboxOptions } from './sql-inbox.js';
