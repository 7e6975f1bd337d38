// Engine outage: a whole Carillon whose Redis dies, or is full, and comes back (I11). No attempt is burnt, and nothing is lost or
// doubled; who can't renew a lease is told to stop before it ends.

import { once } from 'node:events';
import { Carillon, defineTask, implement } from '@carillon/core';
import type { LedgerRecord } from '@carillon/core/spi';
import { redis } from '@carillon/redis-dedupe';
import { startRedis, startTcpProxy } from '@carillon/services';
import type { RedisServer } from '@carillon/services';
import { Redis } from 'ioredis';
import { memory } from '@carillon/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { onFinding, until } from './redis-fixture.js';

const JOBS = 40;
const task = defineTask<{ n: number }>('count', { attempts: 1 });
const brief = defineTask<{ n: number }>('count-briefly', { attempts: 1, record: 'on-claim' });

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ appendfsync: 'always' });
});
afterAll(() => server.stop());

test('I11: jobs that come while Redis is down run once, in their first attempt, when it is back', async () => {
  const { transport } = memory();
  const ledger = redis({ url: server.url, prefix: 'outage', timeoutMs: 500, onFinding });
  const runs: string[] = [];
  const handlers = [
    implement(task, ({ n }, { number }) => void runs.push(`${n} in attempt ${number}`)),
    implement(brief, ({ n }, { number }) => void runs.push(`${n} briefly in attempt ${number}`)),
  ];
  const carillon = new Carillon({ backend: { transport, ledger }, tasks: handlers });
  const heard: string[] = [];
  for (const event of ['backend:down', 'backend:up', 'job:dead', 'job:interrupted'] as const)
    carillon.on(event, () => void heard.push(event));
  await carillon.start();
  const calls = Array.from({ length: JOBS }, (_, n) => carillon.schedule(task, { n }, { in: '1500ms' }));
  const briefly = Array.from({ length: JOBS }, (_, n) =>
    carillon.schedule(brief, { n }, { in: '1500ms', id: `b${n}` }),
  );
  await Promise.all([...calls, ...briefly]);

  await server.kill();
  await until(async () => {
    if (!heard.includes('backend:down')) throw new Error('Nothing was due yet.');
  });
  expect(runs).toEqual([]);
  await server.restart();
  await until(async () => {
    if (runs.length < 2 * JOBS) throw new Error('Not all have run yet.');
  });
  const expected = Array.from({ length: JOBS }, (_, n) => [`${n} in attempt 1`, `${n} briefly in attempt 1`]).flat();
  expect(runs.toSorted()).toEqual(expected.toSorted());
  expect(heard.filter((event) => event.startsWith('job:'))).toEqual([]);
  await until(async () => {
    if (!heard.includes('backend:up')) throw new Error('Its end is not told yet.');
  });

  await until(async () => {
    const job = await carillon.get(brief, { id: 'b7' });
    if (job?.state !== 'done') throw new Error('It is not recorded yet.');
  });
  const repeated = await carillon.schedule(brief, { n: 7 }, { id: 'b7' });
  expect(repeated).toEqual({ id: 'b7', outcome: 'sent' });
  await carillon.stop();
  expect(runs.length).toBe(2 * JOBS);
});

test('memory that runs out within an attempt loses nothing: what has begun is recorded, and the rest waits', async () => {
  const { transport } = memory();
  const ledger = redis({ url: server.url, prefix: 'full', timeoutMs: 500, onFinding });
  const direct = new Redis(server.url);
  const runs: string[] = [];
  const work = async ({ n }: { n: number }, { number }: { number: number }): Promise<void> => {
    runs.push(`${n} in attempt ${number}`);
    if (n === 0) await direct.config('SET', 'maxmemory', '1');
  };
  const carillon = new Carillon({ backend: { transport, ledger }, tasks: [implement(task, work)] });
  const heard: string[] = [];
  for (const event of ['backend:down', 'job:dead', 'job:interrupted'] as const)
    carillon.on(event, () => void heard.push(event));
  await carillon.start();
  const second = await carillon.schedule(task, { n: 1 }, { in: '1500ms' });
  const first = await carillon.schedule(task, { n: 0 });
  expect(await carillon.result(task, first, { within: '60s' })).toMatchObject({ state: 'done', attemptsBegun: 1 });
  await expect(carillon.schedule(task, { n: 2 })).rejects.toMatchObject({ code: 'E_STORE_FULL' });
  await until(async () => {
    if (!heard.includes('backend:down')) throw new Error('The second is not due yet.');
  });
  expect(runs).toEqual(['0 in attempt 1']);
  await direct.config('SET', 'maxmemory', '0');
  expect(await carillon.result(task, second, { within: '60s' })).toMatchObject({ state: 'done', attemptsBegun: 1 });
  expect(runs).toEqual(['0 in attempt 1', '1 in attempt 1']);
  expect(heard.filter((event) => event.startsWith('job:'))).toEqual([]);
  await carillon.stop();
  direct.disconnect();
});

test('a handler whose lease can’t be renewed is told to stop while nobody else can have it', async () => {
  const { transport } = memory();
  const proxy = await startTcpProxy({ target: server.port });
  const url = `redis://127.0.0.1:${proxy.port}`;
  const carillon = new Carillon({
    backend: { transport, ledger: redis({ url, prefix: 'cut', timeoutMs: 500, onFinding }) },
    tasks: [implement(task, (_, { signal }) => untilAborted(signal))],
    lease: '12s',
  });
  const other = redis({ url: server.url, prefix: 'cut', onFinding });
  await other.open();
  const answers: unknown[] = [];
  const untilAborted = async (signal: AbortSignal): Promise<void> => {
    await proxy.refuse();
    await once(signal, 'abort');
    const [{ key, generation }] = (await other.list({ kind: 'job', limit: 1 })).records as [LedgerRecord];
    answers.push(...(await other.acquire([{ key, generation, holder: 'other', nonce: 'n', leaseMs: 1_000 }])));
  };
  await carillon.start();
  await carillon.schedule(task, { n: 0 });
  await expect.poll(() => answers, { timeout: 60_000 }).toMatchObject([{ answer: 'busy' }]);
  await proxy.heal();
  await carillon.stop();
  await other.close();
  await proxy.stop();
});
