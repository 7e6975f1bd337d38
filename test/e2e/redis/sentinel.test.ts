// Sentinel: the ledger passes its conformance suite behind a Sentinel, and goes on after a failover.

import { redis } from '@carillon/redis-dedupe';
import { startRedisSentinel } from '@carillon/services';
import type { RedisSentinel } from '@carillon/services';
import { ledgerConformance } from '@carillon/testing/conformance';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobContent, jobKey } from './job-content.js';
import { onFinding, openLedger, until } from './redis-fixture.js';

let group: RedisSentinel;
beforeAll(async () => {
  group = await startRedisSentinel();
});
afterAll(() => group.stop());

const client = () => ({
  sentinels: group.sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
  name: group.name,
});

ledgerConformance('the ledger behind a sentinel', { open: () => openLedger({ client: client() }), timeoutMs: 60_000 });

test('L2: goes on after a failover, with what was replicated, and with higher fences', async () => {
  const ledger = redis({ client: client(), prefix: 'failover', onFinding, timeoutMs: 2_000 });
  await ledger.open();
  const key = jobKey('a');
  const placed = { do: 'put', key, expect: { absent: true }, content: jobContent() } as const;
  expect(await ledger.commit([{ nonce: 'place', writes: [placed], durable: true }])).toEqual([{ answer: 'ok' }]);
  const claim = { key, generation: 1, holder: 'engine-a', nonce: 'claim-1', leaseMs: 10 };
  const [first] = await ledger.acquire([claim]);
  if (first?.answer !== 'granted') throw new Error(`Expected a grant, not ${first?.answer}.`);
  await replicated(group.master.url);
  await group.master.kill();
  await until(() => ledger.now());
  const [second] = await ledger.acquire([{ ...claim, nonce: 'claim-2' }]);
  if (second?.answer !== 'granted') throw new Error(`Expected a grant, not ${second?.answer}.`);
  expect(second.fence).toBeGreaterThan(first.fence);
  expect(second.record.interrupted).toMatchObject([{ nonce: 'claim-1' }]);
  await ledger.close();
});

/** Resolves when the replica has what the master had when it was asked. */
async function replicated(url: string): Promise<void> {
  const client = new Redis(url);
  try {
    await client.set('marker', 'x');
    expect(await client.wait(1, 10_000)).toBe(1);
  } finally {
    client.disconnect();
  }
}
