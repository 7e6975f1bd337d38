// Cluster: the ledger passes its conformance suite on three masters, and spreads its records over all of them.

import { startRedisCluster } from '@carillon/services';
import type { RedisCluster } from '@carillon/services';
import { jobContent } from './job-content.js';
import { ledgerConformance } from '@carillon/testing/conformance';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLedger } from './redis-fixture.js';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.stop());

const open = () => openLedger({ cluster: [...cluster.urls] });

ledgerConformance('the ledger of a cluster', { open, timeoutMs: 60_000 });

test('no master holds more than half of the records', async () => {
  const { ledger, close } = await open();
  const before = await Promise.all(cluster.urls.map(sizeOf));
  const partitions = Array.from({ length: 256 }, (_, bucket) => bucket.toString(16).padStart(2, '0'));
  const changes = partitions.map((partition) => ({
    nonce: `place-${partition}`,
    durable: true,
    writes: [
      {
        do: 'put',
        key: { kind: 'job', id: partition, partition },
        expect: { absent: true },
        content: jobContent({ body: '{}' }),
      } as const,
    ],
  }));
  const answers = await ledger.commit(changes);
  expect(answers.every(({ answer }) => answer === 'ok')).toBe(true);
  const after = await Promise.all(cluster.urls.map(sizeOf));
  const grown = after.map((size, index) => size - before[index]!);
  const all = grown.reduce((sum, one) => sum + one, 0);
  for (const one of grown) {
    expect(one).toBeGreaterThan(0);
    expect(one).toBeLessThan(all / 2);
  }
  await close();
});

async function sizeOf(url: string): Promise<number> {
  const client = new Redis(url);
  try {
    return await client.dbsize();
  } finally {
    client.disconnect();
  }
}
