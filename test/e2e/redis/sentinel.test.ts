// Sentinel: the ledger passes its conformance suite behind a Sentinel, and goes on after a failover.

import { setTimeout as wait } from 'node:timers/promises';
import { redis } from '@carillon/redis-dedupe';
import { startRedisSentinel } from '@carillon/services';
import type { RedisSentinel } from '@carillon/services';
import { ledgerConformance } from '@carillon/testing/conformance';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobContent, jobKey } from './job-content.js';
import { onFinding, openLedger } from './redis-fixture.js';

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
  const ledger = redis({ client: client(), prefix: 'failover', strict: { replicas: 1 }, onFinding, timeoutMs: 2_000 });
  const strictly = await ledger.open().then(
    () => true,
    () => false,
  );
  expect(strictly).toBe(false); // everysec on Redis 7.0 can't be waited for
  const plain = redis({ client: client(), prefix: 'failover', onFinding, timeoutMs: 2_000 });
  await plain.open();
  const key = jobKey('a');
  const placed = { do: 'put', key, expect: { absent: true }, content: jobContent() } as const;
  expect(await plain.commit([{ nonce: 'place', writes: [placed], durable: true }])).toEqual([{ answer: 'ok' }]);
  const claim = { key, generation: 1, holder: 'engine-a', nonce: 'claim-1', leaseMs: 10 };
  const [first] = await plain.acquire([claim]);
  if (first?.answer !== 'granted') throw new Error(`Expected a grant, not ${first?.answer}.`);
  await until(async () => (await plain.read([key]))[0]?.version === 2);
  await group.master.kill();
  await until(async () => (await plain.now()) > 0);
  const [second] = await plain.acquire([{ ...claim, nonce: 'claim-2' }]);
  if (second?.answer !== 'granted') throw new Error(`Expected a grant, not ${second?.answer}.`);
  expect(second.fence).toBeGreaterThan(first.fence);
  expect(second.record.interrupted).toMatchObject([{ nonce: 'claim-1' }]);
  await plain.close();
});

/** Waits until something holds; errors are taken for not yet. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (;;) {
    if (await holds().catch(() => false)) return;
    await wait(50);
  }
}
