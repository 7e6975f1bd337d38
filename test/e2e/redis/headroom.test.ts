// Headroom: a server whose memory is filling up is told of before it is full, at the start and with the looks of a sweep.

import { redis } from '@carillon/redis-dedupe';
import type { Finding } from '@carillon/redis-dedupe';
import type { RedisServer } from '@carillon/services';
import { startRedis } from '@carillon/services';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';

let server: RedisServer;
let direct: Redis;
beforeAll(async () => {
  server = await startRedis();
  direct = new Redis(server.url);
});
afterAll(async () => {
  direct.disconnect();
  await server.stop();
});

/** Lets the server use so much memory that about this share of it is in use. */
async function use(share: number): Promise<void> {
  const [, used] = /used_memory:(\d+)/.exec(await direct.info('memory'))!;
  await direct.config('SET', 'maxmemory', String(Math.round(Number(used) / share)));
}

async function opened() {
  const found: Finding[] = [];
  const onFinding = (finding: Finding): void => void (finding.concern === 'memory' && found.push(finding));
  const ledger = redis({ url: server.url, onFinding });
  await ledger.open();
  const sweep = () => ledger.due({ queues: ['default'], before: 0, limit: 10 });
  return { ledger, found, sweep };
}

test('H1: it is told once for each time that use rises beyond 70 %', async () => {
  const { ledger, found, sweep } = await opened();
  const told: number[] = [];
  for (const share of [0.5, 0.8, 0.8, 0.67, 0.8, 0.5, 0.8]) {
    await use(share);
    await sweep();
    told.push(found.length);
  }
  expect(told).toEqual([0, 1, 1, 1, 1, 1, 2]);
  expect(found[0]).toMatchObject({ refused: false, message: expect.stringMatching(/(79|80|81) % of maxmemory/) });
  await ledger.close();
});

test('it is told at the start', async () => {
  await use(0.9);
  const { ledger, found } = await opened();
  expect(found.length).toBe(1);
  await ledger.close();
});

test('H2: a server without a limit is not judged', async () => {
  await direct.config('SET', 'maxmemory', '0');
  const { ledger, found, sweep } = await opened();
  await sweep();
  expect(found).toEqual([]);
  await ledger.close();
});
