// Strict: nothing is granted before a replica knows of it.

import { redis } from '@carillon/redis-dedupe';
import { startRedis } from '@carillon/services';
import type { RedisServer } from '@carillon/services';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobContent, jobKey } from './job-content.js';
import { onFinding, until } from './redis-fixture.js';

let primary: RedisServer;
let replica: RedisServer;
beforeAll(async () => {
  primary = await startRedis({ appendfsync: 'always' });
  replica = await startRedis({ config: { replicaof: `127.0.0.1 ${primary.port}` } });
  const direct = new Redis(primary.url);
  await until(async () => {
    if (!(await direct.info('replication')).includes('state=online')) throw new Error('The replica is not there yet.');
  });
  direct.disconnect();
});
afterAll(async () => {
  await replica.stop();
  await primary.stop();
});

test('C3: a claim is answered once a replica has it; without one it fails, and its repeat is the same grant', async () => {
  const ledger = redis({ url: primary.url, strict: { replicas: 1 }, timeoutMs: 4_000, onFinding });
  await ledger.open();
  expect(ledger.durability).toBe('replicated');
  const key = jobKey('a');
  const place = { do: 'put', key, expect: { absent: true }, content: jobContent() } as const;
  expect(await ledger.commit([{ nonce: 'place', writes: [place], durable: true }])).toEqual([{ answer: 'ok' }]);
  const claim = { key, generation: 1, holder: 'engine-a', nonce: 'claim-1', leaseMs: 60_000 };

  replica.pause();
  await expect(ledger.acquire([claim])).rejects.toMatchObject({ code: 'E_STORE_UNSYNCED' });
  const change = {
    nonce: 'unimportant',
    writes: [{ do: 'check', key, expect: { any: true } } as const],
    durable: false,
  };
  expect(await ledger.commit([change])).toEqual([{ answer: 'ok' }]); // asks for nothing
  replica.resume();
  const [grant] = await until(() => ledger.acquire([claim]));
  expect(grant).toMatchObject({ answer: 'granted', record: { version: 2, interrupted: [] } });

  const other = new Redis(replica.url);
  expect(await other.dbsize()).toBeGreaterThan(0);
  other.disconnect();
  await ledger.close();
});
