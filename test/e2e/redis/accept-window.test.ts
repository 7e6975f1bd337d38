// Accept window: a mark, plain or packed, stands for as long as it was asked to, so every message that is young enough to be
// taken finds it (the guard that refuses older ones is the engine's: job-kind.ts of core).

import { redis } from '@carillon/redis-dedupe';
import { systemClock } from '@carillon/core/spi';
import type { RedisServer } from '@carillon/services';
import { startRedis } from '@carillon/services';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobContent } from './job-content.js';
import { onFinding } from './redis-fixture.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BY_MS = 60_000; // what a machine may take for this test: servers expire keys by their own clock

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

test.each([
  { form: 'plain', packedMarks: 0 },
  { form: 'packed', packedMarks: 1_000 },
])('a $form mark stands until the end of its retention, whenever it was left', async ({ form, packedMarks }) => {
  const startedAt = Date.now();
  let now = startedAt;
  const clock = { ...systemClock, now: () => now };
  const ledger = redis({ url: server.url, prefix: form, onFinding, packedMarks, clock });
  await ledger.open();
  const claim = async (id: string): Promise<string> => {
    const key = { kind: 'job', id, partition: '00' };
    const create = jobContent({ dueAt: 0, brief: '0a1b2c' });
    const [answer] = await ledger.acquire([
      { key, generation: 1, holder: 'e', nonce: `${id}@${now}`, leaseMs: 9_000, create },
    ]);
    return answer!.answer;
  };
  const leave = async (id: string, keptMs: number): Promise<void> => {
    const key = { kind: 'job', id, partition: '00' };
    expect(await claim(id)).toBe('granted');
    const [record] = await ledger.read([key]);
    const held = { version: record!.version, fence: record!.fence };
    const content = jobContent({ state: 'done', wakeAt: undefined, expiresAt: now + keptMs, brief: '0a1b2c' });
    const put = { do: 'put', key, expect: held, content } as const;
    expect(await ledger.commit([{ nonce: id, writes: [put], durable: true }])).toEqual([{ answer: 'ok' }]);
  };
  const kept = Array.from({ length: 16 }, (_, n) => ({ id: `${n}`, leftAt: startedAt + n * 6 * HOUR_MS }));
  for (const { id, leftAt } of kept) {
    now = leftAt; // over four days, so at every place within a period of packing
    await leave(id, 3 * DAY_MS);
  }
  for (const { id, leftAt } of kept) {
    for (const ageMs of [0, DAY_MS, 3 * DAY_MS - 1]) {
      now = leftAt + ageMs;
      expect(await claim(id)).toBe('settled');
    }
  }
  const longest = kept.at(-1)!.leftAt + 3 * DAY_MS - startedAt;
  const leftMs = await Promise.all((await direct.keysBuffer(`${form}{*`)).map((key) => direct.pttl(key)));
  const ending = leftMs.filter((ms) => ms >= 0);
  expect(ending.length).toBeGreaterThan(0);
  expect(Math.min(...ending)).toBeGreaterThan(3 * DAY_MS - BY_MS); // Redis' own clock takes none earlier
  expect(Math.max(...ending)).toBeLessThan(longest + 4 * DAY_MS);
  await ledger.close();
});
