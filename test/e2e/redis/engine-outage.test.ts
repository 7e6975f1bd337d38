// Engine outage: a whole Carillon whose Redis dies and comes back (I11). No attempt is burnt, and nothing is lost or doubled.

import { Carillon, defineTask, implement } from '@carillon/core';
import { redis } from '@carillon/redis-dedupe';
import { startRedis } from '@carillon/services';
import type { RedisServer } from '@carillon/services';
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
