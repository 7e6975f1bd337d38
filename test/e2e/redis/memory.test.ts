// Memory: what a settled job costs in Redis, as a plain mark, as a packed one, and as a whole record.
//
// 125,000 jobs fill Redis' tables to the same degree as a million do, so the bytes for each are the same.

import { redis } from '@carillon/redis-dedupe';
import { startRedis } from '@carillon/services';
import type { RedisServer } from '@carillon/services';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobContent } from './job-content.js';
import { onFinding } from './redis-fixture.js';

const JOBS = Number(process.env['JOBS'] ?? 125_000);
const AT_ONCE = 5_000;
const RETENTION_MS = 3 * 86_400_000;

let server: RedisServer;
let direct: Redis;
beforeAll(async () => {
  server = await startRedis({ appendfsync: 'no', config: { 'auto-aof-rewrite-percentage': '0' } });
  direct = new Redis(server.url);
});
afterAll(async () => {
  direct.disconnect();
  await server.stop();
});

test('a plain mark costs at most 145 bytes', async () => {
  expect(await bytesPerJob({ brief: 'abcdef' }, 0)).toBeLessThanOrEqual(145);
});

test('a packed mark costs at most 30 bytes', async () => {
  expect(await bytesPerJob({ brief: 'abcdef' }, JOBS)).toBeLessThanOrEqual(30);
});

test('a whole record costs many times that', async () => {
  expect(await bytesPerJob({}, 0)).toBeGreaterThan(300);
});

/** Places jobs that are done already, and tells how much more memory is used, for each of them. */
async function bytesPerJob(over: { readonly brief?: string }, packedMarks: number): Promise<number> {
  await direct.flushall();
  const ledger = redis({ url: server.url, packedMarks, onFinding, timeoutMs: 60_000 });
  await ledger.open();
  const before = await usedMemory();
  const expiresAt = (await ledger.now()) + RETENTION_MS;
  const content = jobContent({ state: 'done', wakeAt: undefined, expiresAt, ...over });
  for (let first = 0; first < JOBS; first += AT_ONCE) {
    const changes = Array.from({ length: Math.min(AT_ONCE, JOBS - first) }, (_, offset) => {
      const id = `01hq3v5k8m-${first + offset}`;
      const key = { kind: 'job', id, partition: ((first + offset) % 256).toString(16).padStart(2, '0') };
      return { nonce: id, durable: true, writes: [{ do: 'put', key, expect: { absent: true }, content } as const] };
    });
    await ledger.commit(changes);
  }
  await ledger.close();
  const bytes = ((await usedMemory()) - before) / JOBS;
  process.stdout.write(`${bytes.toFixed(1)} bytes for each of ${JOBS} ${JSON.stringify({ ...over, packedMarks })}\n`);
  return bytes;
}

/** What Redis uses, without what it needs to speak with clients and to write its file. */
async function usedMemory(): Promise<number> {
  const info = await direct.info('memory');
  const bytes = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
  return bytes('used_memory') - bytes('mem_clients_normal') - bytes('mem_aof_buffer');
}
