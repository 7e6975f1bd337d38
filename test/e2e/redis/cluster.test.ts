// Cluster: the ledger passes its conformance suite on three masters, also with no more than the documented rights, and
// spreads its records over all of them.

import type { ClaimAnswer, Grant } from '@carillon/core/spi';
import { redis } from '@carillon/redis-dedupe';
import { startRedisCluster } from '@carillon/services';
import type { RedisCluster } from '@carillon/services';
import { jobContent } from './job-content.js';
import { ledgerConformance } from '@carillon/testing/conformance';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { documentedRights, rightsOnCluster } from './documented-rights.js';
import { onFinding, openLedger, until } from './redis-fixture.js';

let cluster: RedisCluster;
beforeAll(async () => {
  cluster = await startRedisCluster();
});
afterAll(() => cluster.stop());

const open = () => openLedger({ cluster: [...cluster.urls] });

ledgerConformance('the ledger of a cluster', { open, timeoutMs: 60_000 });

describe('a user with the documented rights', () => {
  const client = { username: 'carillon', password: 'secret' };
  beforeAll(async () => {
    expect(rightsOnCluster.length).toBeGreaterThan(0);
    for (const url of cluster.urls)
      await control(url, (node) => node.call('ACL', 'SETUSER', 'carillon', ...documentedRights, ...rightsOnCluster));
  });

  ledgerConformance('the ledger of a cluster with the documented rights', {
    open: () => openLedger({ cluster: [...cluster.urls], client, packedMarks: 1_000 }),
    timeoutMs: 60_000,
  });

  test.each(rightsOnCluster)('C2: without %s it does not open, and says so in time', async (right) => {
    const without = documentedRights.concat(rightsOnCluster.filter((one) => one !== right));
    for (const url of cluster.urls)
      await control(url, (node) => node.call('ACL', 'SETUSER', 'lesser', 'reset', ...without));
    const lesser = { username: 'lesser', password: 'secret' };
    const opening = openLedger({ cluster: [...cluster.urls], client: lesser, timeoutMs: 1_000 });
    await expect(opening).rejects.toBeInstanceOf(Error);
  });
});

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

test('R3: what a master lost that started again is told, and nothing else', async () => {
  const own = await startRedisCluster({ config: { appendonly: 'no' } });
  const ledger = redis({ cluster: [...own.urls], accept: ['volatile'], onFinding, timeoutMs: 2_000 });
  await ledger.open();
  const told: string[] = [];
  ledger.onLoss((lost) => void told.push(...lost.map(({ key }) => key.id)));
  const ids = Array.from({ length: 60 }, (_, index) => `${index}`);
  const keys = ids.map((id) => ({ kind: 'job', id, partition: id }));
  for (const key of keys) {
    const write = { do: 'put', key, expect: { absent: true }, content: jobContent() } as const;
    expect(await ledger.commit([{ nonce: key.id, durable: true, writes: [write] }])).toEqual([{ answer: 'ok' }]);
  }
  const [emptied] = own.nodes;
  await emptied!.kill();
  await emptied!.restart();
  const found = await until(() => ledger.read(keys)); // some call has to meet the server, as those of an engine do
  const gone = ids.filter((_, index) => found[index] === undefined);
  expect(gone.length).toBeGreaterThan(0);
  expect(gone.length).toBeLessThan(ids.length);
  await expect.poll(() => told.length, { timeout: 60_000 }).toBeGreaterThan(0);
  expect(told.toSorted()).toEqual(gone.toSorted());
  await ledger.close();
  await own.stop();
});

test('L2: goes on when a master’s replica has taken over, with what was replicated, and with higher fences', async () => {
  const own = await startRedisCluster({ replicas: 1, appendfsync: 'always' });
  const ledger = redis({ cluster: [...own.urls], onFinding, timeoutMs: 2_000 });
  await ledger.open();
  const told: string[] = [];
  ledger.onLoss((lost) => void told.push(...lost.map(({ key }) => key.id)));
  const keys = Array.from({ length: 60 }, (_, index) => ({ kind: 'job', id: `${index}`, partition: `${index}` }));
  const claims = (nonce: string) =>
    keys.map((key) => ({
      key,
      generation: 1,
      holder: 'e',
      nonce: `${nonce}-${key.id}`,
      leaseMs: 10,
      create: jobContent(),
    }));
  const first = (await ledger.acquire(claims('first'))).map(granted);
  const [gone] = own.nodes;
  await control(gone!.url, (node) => expect.poll(() => replicated(node), { timeout: 60_000 }).toBe(true));
  await gone!.kill();
  const second = (await until(() => ledger.acquire(claims('second')))).map(granted);
  for (const [index, { fence, record }] of second.entries()) {
    expect(fence).toBeGreaterThan(first[index]!.fence);
    expect(record.interrupted).toMatchObject([{ nonce: `first-${index}` }]);
  }
  expect(told).toEqual([]);
  await ledger.close();
  await own.stop();
});

/** Whether a master's replica has all that it wrote. */
async function replicated(master: Redis): Promise<boolean> {
  const info = await master.info('replication');
  const [, own] = /master_repl_offset:(\d+)/.exec(info)!;
  const [, other] = /slave0:.*offset=(\d+)/.exec(info)!;
  return own === other;
}

function granted(answer: ClaimAnswer): Grant {
  if (answer.answer !== 'granted') throw new Error(`Expected a grant, not ${answer.answer}.`);
  return answer;
}

function sizeOf(url: string): Promise<number> {
  return control(url, (node) => node.dbsize());
}

async function control<T>(url: string, ask: (node: Redis) => Promise<T>): Promise<T> {
  const node = new Redis(url);
  try {
    return await ask(node);
  } finally {
    node.disconnect();
  }
}
