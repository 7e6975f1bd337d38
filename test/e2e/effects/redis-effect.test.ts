// Effects in the ledger's own commit, on a real Redis: each rule of redis-effect.ts. What crashes do to them is in
// test/e2e/redis-crash/failure-table.test.ts, in the column "committed".

import { Carillon, defineTask, implement, silentLogger, type JobView } from '@carillon/core';
import type { Ledger } from '@carillon/core/spi';
import { redis } from '@carillon/redis-dedupe';
import { type RedisCommand, redisEffect } from '@carillon/redis-dedupe/effects';
import { type RedisServer, startRedis } from '@carillon/services';
import { memory } from '@carillon/testing';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

let server: RedisServer;
let client: Redis;

beforeAll(async () => {
  server = await startRedis();
  client = new Redis(server.url);
});
afterAll(async () => {
  client.disconnect();
  await server.stop();
});
beforeEach(() => client.flushall());

const task = defineTask<null>('sell', { attempts: 2, retry: { backoff: () => '1ms' } });
const sell: readonly RedisCommand[] = [
  ['DECRBY', 'stock', 1],
  ['RPUSH', 'sold', Buffer.from([0, 255])],
];

/** The job once it is settled, if its attempts end in turn as told. */
async function run(ledger: Ledger, ...attempts: (() => readonly RedisCommand[] | Promise<never>)[]): Promise<JobView> {
  let count = 0;
  const handler = implement(task, async (_, attempt) => {
    attempt.completeWith(redisEffect(await attempts[count++]!()));
  });
  const { transport } = memory();
  const carillon = new Carillon({ backend: { transport, ledger }, tasks: [handler], logger: silentLogger });
  await carillon.start();
  const { id } = await carillon.schedule(task, null);
  const job = await carillon.result(task, { id }, { within: '30s' });
  await carillon.stop();
  return job;
}

const ledger = (): Ledger => redis({ url: server.url, onFinding: () => {} });

it('D1: happens with the completion, bytes as they are', async () => {
  expect(await run(ledger(), () => sell)).toMatchObject({ state: 'done' });
  expect(await client.get('stock')).toBe('-1');
  expect(await client.lrangeBuffer('sold', 0, -1)).toEqual([Buffer.from([0, 255])]);
});

it('D1: does not happen with a failure', async () => {
  const failing = implement(task, (_, attempt) => {
    attempt.completeWith(redisEffect(sell));
    throw new Error('after all');
  });
  const { transport } = memory();
  const carillon = new Carillon({ backend: { transport, ledger: ledger() }, tasks: [failing], logger: silentLogger });
  await carillon.start();
  const { id } = await carillon.schedule(task, null);
  expect(await carillon.result(task, { id }, { within: '30s' })).toMatchObject({ state: 'dead', failures: 2 });
  await carillon.stop();
  expect(await client.get('stock')).toBeNull();
});

it('D2: if the first command fails, so does the attempt, and the next one may do better', async () => {
  await client.rpush('stock', 'a list');
  const second = async (): Promise<readonly RedisCommand[]> => {
    await client.del('stock');
    return sell;
  };
  const job = await run(ledger(), () => sell, second as never);
  expect(job.attempts.map(({ outcome, error }) => [outcome, error?.message.slice(0, 9)])).toEqual([
    ['failed', 'WRONGTYPE'],
    ['done', undefined],
  ]);
  expect(await client.get('stock')).toBe('-1');
});

it('D2: if a later command fails, the job is dead, with the error', async () => {
  await client.set('sold', 'no list');
  const job = await run(ledger(), () => sell);
  expect(job).toMatchObject({ state: 'dead', attemptsBegun: 1 });
  expect(job.attempts[0]?.error?.message).toMatch(/^WRONGTYPE/);
  expect(await client.get('stock')).toBe('-1'); // a part that nobody will do again
});

it('is refused by a ledger that does not take it', async () => {
  const job = await run(
    memory().ledger,
    () => sell,
    () => sell,
  );
  expect(job).toMatchObject({ state: 'dead' });
  expect(job.attempts[0]?.error).toMatchObject({ code: 'E_OPTIONS' });
});
