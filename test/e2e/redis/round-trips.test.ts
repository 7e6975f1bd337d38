// Round trips: what is asked at the same time is one call to the server, of each kind; on a Cluster one for each bucket.

import type { Claim, ClaimAnswer, Grant, Ledger } from '@carillon/core/spi';
import { redis } from '@carillon/redis-dedupe';
import { startRedis, startRedisCluster } from '@carillon/services';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { jobContent } from './job-content.js';
import { onFinding } from './redis-fixture.js';

const JOBS = 64;

test('64 claims, renewals, releases, completions or looks at the same time are one call each', async () => {
  const server = await startRedis();
  const ledger = redis({ url: server.url, onFinding });
  await ledger.open();
  expect(await callsOf(ledger, [server.url], (n) => `${n}`)).toEqual(Array.from({ length: 5 }, () => 1));
  await ledger.close();
  await server.stop();
});

test('on a Cluster they are one call for each bucket', async () => {
  const cluster = await startRedisCluster();
  const ledger = redis({ cluster: [...cluster.urls], onFinding });
  await ledger.open();
  const partitions = ['00', '55', 'aa', 'ff'];
  const calls = await callsOf(ledger, cluster.urls, (n) => partitions[n % partitions.length]!);
  expect(calls).toEqual(Array.from({ length: 5 }, () => partitions.length));
  await ledger.close();
  await cluster.stop();
});

/** How many scripts the servers ran for what many jobs asked at the same time, kind after kind. */
async function callsOf(ledger: Ledger, urls: readonly string[], partitionOf: (n: number) => string): Promise<number[]> {
  const keys = Array.from({ length: JOBS }, (_, n) => ({ kind: 'job', id: `${n}`, partition: partitionOf(n) }));
  const each = <T>(ask: (n: number) => Promise<readonly T[]>): Promise<readonly T[]> =>
    Promise.all(keys.map(async (_, n) => (await ask(n))[0]!));
  const claimOf = (n: number, nonce: string): Claim => ({
    key: keys[n]!,
    generation: 1,
    holder: 'engine-a',
    nonce: `${nonce}-${n}`,
    leaseMs: 60_000,
    create: jobContent(),
  });
  const putOf = (n: number, { fence, record }: Grant, state: string) => ({
    nonce: `${state}-${n}`,
    durable: true,
    writes: [
      {
        do: 'put',
        key: keys[n]!,
        expect: { version: record.version, fence },
        content: jobContent(state === 'done' ? { state, wakeAt: undefined } : {}),
      } as const,
    ],
  });
  const servers = urls.map((url) => new Redis(url));
  const ran = async (): Promise<number> => {
    const infos = await Promise.all(servers.map((server) => server.info('commandstats')));
    const counts = infos.flatMap((info) => [
      ...info.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+).*failed_calls=(\d+)/gm),
    ]);
    return counts.reduce((sum, [, calls, failed]) => sum + Number(calls) - Number(failed), 0);
  };
  const counts: number[] = [];
  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    const before = await ran();
    const answer = await work();
    counts.push((await ran()) - before);
    return answer;
  };

  const first = (await counted(() => each((n) => ledger.acquire([claimOf(n, 'first')])))).map(granted);
  const renewed = await counted(() =>
    each((n) => ledger.renew([{ key: keys[n]!, fence: first[n]!.fence, leaseMs: 60_000 }])),
  );
  const released = await counted(() => each((n) => ledger.commit([putOf(n, first[n]!, 'scheduled')])));
  const again = (await each((n) => ledger.acquire([claimOf(n, 'again')]))).map(granted);
  const done = await counted(() => each((n) => ledger.commit([putOf(n, again[n]!, 'done')])));
  const read = await counted(() => each((n) => ledger.read([keys[n]!])));
  expect([...renewed, ...released, ...done].every((answer) => answer.answer === 'ok')).toBe(true);
  expect(read.every((record) => record?.state === 'done')).toBe(true);
  for (const server of servers) server.disconnect();
  return counts;
}

function granted(answer: ClaimAnswer): Grant {
  if (answer.answer !== 'granted') throw new Error(`Expected a grant, not ${answer.answer}.`);
  return answer;
}
