import { defineTask, implement, type Services, silentLogger } from '@carillon/core';
import { expect, it } from 'vitest';
import { gate, HOUR, messageStage, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

class Orders {
  readonly paid = new Set<string>();
}
const servicesWith = (orders: Orders): Services => ({ get: () => orders as never });

onBothBackends('unless', (stage) => {
  it('ends the job as skipped if it is true at the start, asked with the payload and the services', async () => {
    const { clock, start } = stage();
    const orders = new Orders();
    const asked: string[] = [];
    const close = defineTask<{ order: string }>('close', {
      in: '30m',
      unless: ({ order }, services) => (asked.push(order), services.get(Orders).paid.has(order)),
    });
    const closed: string[] = [];
    const { carillon, heard } = await start([
      implement(close, ({ order }) => void closed.push(order), servicesWith(orders)),
    ]);
    const paid = await carillon.schedule(close, { order: 'paid' });
    await carillon.schedule(close, { order: 'open' });
    await clock.advance(MINUTE);
    expect(asked).toEqual([]);
    orders.paid.add('paid');
    await clock.advance(HOUR);
    expect([asked.toSorted(), closed]).toEqual([['open', 'paid'], ['open']]);
    expect(heard('job:skipped')).toMatchObject([{ id: paid.id, reason: 'unless' }]);
    expect(await carillon.get(close, paid)).toMatchObject({ state: 'skipped', reason: 'unless', attemptsBegun: 0 });
  });

  it('is asked again before every attempt', async () => {
    const { clock, start } = stage();
    let done = false;
    const backoff = { type: 'fixed', delay: '1m', jitter: 0 } as const;
    const task = defineTask<null>('work', { unless: async () => done, retry: { backoff } });
    let runs = 0;
    const { carillon } = await start([
      implement(task, () => {
        runs += 1;
        done = runs === 2;
        throw new Error('no');
      }),
    ]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(HOUR);
    expect(runs).toBe(2);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'skipped', failures: 2 });
  });

  it.each([
    ['throws', () => Promise.reject(new Error('my bug'))],
    ['asks for a service that there is none of', (_: unknown, services: Services) => services.get<boolean>('x')],
  ])('if it %s, the job goes on', async (_, unless) => {
    const { clock, start } = stage();
    const task = defineTask<null>('work', { unless });
    const { carillon } = await start([implement(task, () => {})]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(SECOND);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done' });
  });

  it('may take longer than the lease: it is renewed meanwhile, and nobody else starts the job (I2)', async () => {
    const { clock, start } = stage();
    const answer = gate<boolean>();
    const task = defineTask<null>('work', { unless: () => answer.opened });
    const starts: string[] = [];
    const on = (name: string) => implement(task, () => void starts.push(name));
    const first = await start([on('first')]);
    const { id } = await first.carillon.schedule(task, null);
    await clock.advance(SECOND);
    const second = await start([on('second')]);
    await clock.advance(10 * MINUTE);
    answer.open(false);
    await clock.advance(MINUTE);
    expect(starts).toEqual(['first']);
    expect(await second.carillon.get(task, { id })).toMatchObject({ state: 'done', interruptions: 0 });
  });

  it.each<[string, object, object, () => boolean | Promise<boolean>]>([
    ["its task's time-out, and throws later", { timeout: '10s' }, {}, () => Promise.reject(new Error('my bug'))],
    ["its call's time-out, and says yes later", { timeout: '1d' }, { timeout: '10s' }, () => true],
  ])('if it hangs beyond %s, the job goes on, with a warning (Y4)', async (_, options, overrides, later) => {
    const { clock, start } = stage();
    const answer = gate<boolean | Promise<boolean>>();
    const task = defineTask<null>('work', { unless: async () => answer.opened, ...options });
    const warned: unknown[] = [];
    const logger = { ...silentLogger, warn: (...line: unknown[]) => void warned.push(line) };
    const { carillon } = await start([implement(task, () => {})], { logger });
    const { id } = await carillon.schedule(task, null, overrides);
    await clock.advance(10 * SECOND - 1);
    expect([warned, (await carillon.get(task, { id }))?.state]).toEqual([[], 'running']);
    await clock.advance(1);
    answer.open(later());
    await clock.advance(MINUTE);
    const job = { task: 'work', jobId: id, timeoutMs: 10 * SECOND };
    expect(warned).toEqual([[job, '`unless` ran into its time-out; the job goes on']]);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', attemptsBegun: 1 });
  });

  it('leaves no timer behind once it has answered', async () => {
    const { clock, start } = stage();
    const task = defineTask<null>('work', { unless: () => true, timeout: '1h' });
    const { carillon } = await start([implement(task, () => {})]);
    const waiting: number[] = [];
    for (let job = 0; job < 3; job += 1) {
      await carillon.schedule(task, null);
      await clock.advance(0);
      waiting.push(clock.pending);
    }
    expect(waiting).toEqual([waiting[0], waiting[0], waiting[0]]);
  });

  it('starts nothing if the lease was lost while it was asked', async () => {
    const { clock, start } = stage();
    const answer = gate<boolean>();
    const task = defineTask<null>('work', { unless: () => answer.opened });
    let runs = 0;
    const { carillon, ledger, deafen } = await start([implement(task, () => void (runs += 1))]);
    await carillon.schedule(task, null);
    await clock.advance(0);
    deafen();
    ledger.fail('renew', { times: 1000 });
    await clock.advance(MINUTE);
    answer.open(false);
    await clock.advance(0);
    expect(runs).toBe(0);
  });
});

it('is asked at each hop, so that an order that is paid ends its chain early', async () => {
  const { clock, start } = messageStage({ horizonMs: HOUR });
  let paid = false;
  let asked = 0;
  const close = defineTask<null>('close', { in: '1d', unless: () => ((asked += 1), paid) });
  const { carillon, transport } = await start([implement(close, () => {})]);
  const { id } = await carillon.schedule(close, null);
  await clock.advance(5.5 * HOUR);
  expect(asked).toBe(5);
  paid = true;
  await clock.advance(HOUR);
  expect(await carillon.get(close, { id })).toMatchObject({ state: 'skipped', reason: 'unless' });
  const sent = transport.calls('send');
  await clock.advance(24 * HOUR);
  expect([asked, transport.calls('send')]).toEqual([6, sent]);
});

it('does not hold up a job on its way, if it hangs at a hop (Y4)', async () => {
  const { clock, start } = messageStage({ horizonMs: HOUR });
  let ran = 0;
  const task = defineTask<null>('work', { in: '3h', unless: () => new Promise<boolean>(() => {}), timeout: '10s' });
  const { carillon } = await start([implement(task, () => void (ran += 1))]);
  await carillon.schedule(task, null);
  await clock.advance(3 * HOUR + 10 * SECOND);
  expect(ran).toBe(1);
});
