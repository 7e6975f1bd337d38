// The failure table with the ledger on a real Redis and transactional effects in a real PostgreSQL. Messages are in an
// embedded store: what a transport does is not what is tested here.
//
// Rows that are elsewhere: "failover loses the claim" and "failover loses the completion" are in failover.test.ts, and the
// claim whose reply a real network loses in lost-reply.test.ts.

import { sqlInbox } from '@carillon/redis-dedupe/effects';
import { type PostgresServer, type RedisServer, startPostgres, startRedis } from '@carillon/services';
import { Pool } from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { failureTable } from '../../crash/failure-table.js';
import type { Servers } from '../../crash/store.js';

let redis: RedisServer;
let postgres: PostgresServer;

beforeAll(async () => {
  [redis, postgres] = await Promise.all([startRedis({ appendfsync: 'always' }), startPostgres()]);
  const pool = new Pool({ connectionString: postgres.url });
  await pool.query(sqlInbox().schema);
  await pool.query('CREATE TABLE effect (execution_key text NOT NULL, worker text NOT NULL)'); // a second one would fit in
  await pool.end();
});
afterAll(() => Promise.all([redis.stop(), postgres.stop()]));

let scenes = 0;
const servers = (): Servers => ({
  redis: { url: redis.url, prefix: `scene-${(scenes += 1)}` },
  postgres: postgres.url,
});

for (const policy of ['retry', 'never-again', 'transactional', 'committed'] as const)
  failureTable('redis', policy, servers);
