import { defineTask, implement, type TaskDefinition, type TaskOptions } from '@carillon/core';
import { expect, it } from 'vitest';
import { HOUR, messageStage, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

/** A task whose handlers take `ms` each, and the most of them that ran at once. */
function measured(
  name: string,
  options: Pick<TaskOptions, 'queue' | 'concurrency'>,
  sleep: (ms: number) => Promise<void>,
  ms = 10 * SECOND,
) {
  const task = defineTask<number>(name, options);
  const state = { running: 0, most: 0, done: [] as number[] };
  const definition: TaskDefinition = implement(task, async (n) => {
    state.running += 1;
    state.most = Math.max(state.most, state.running);
    await sleep(ms);
    state.running -= 1;
    state.done.push(n);
  });
  return { task, state, definition };
}

onBothBackends('concurrency', (stage) => {
  const on = () => {
    const played = stage();
    const sleep = (ms: number) => new Promise<void>((resolve) => void played.clock.after(ms, resolve));
    return { ...played, sleep };
  };
  const calls = (task: ReturnType<typeof measured>['task'], count: number) =>
    Array.from({ length: count }, (_, n) => ({ task, payload: n }));

  it.each([
    ['engine', {}, { concurrency: 3 }],
    ['queue', {}, { queues: { default: { concurrency: 3 } } }],
    ['task', { concurrency: 3 }, {}],
  ])('never more at once than the %s allows, and always as many', async (_, taskOptions, options) => {
    const { clock, start, sleep } = on();
    const { task, state, definition } = measured('work', taskOptions, sleep);
    const { carillon } = await start([definition], options);
    await carillon.scheduleMany(calls(task, 12));
    await clock.advance(41 * SECOND);
    expect([state.most, state.done.length]).toEqual([3, 12]);
  });

  it('takes never more than can start: what waits stays for others (P3)', async () => {
    const { clock, start, sleep, store } = on();
    const { task, state, definition } = measured('work', {}, sleep, HOUR);
    const first = await start([definition], { concurrency: 2 });
    await first.carillon.scheduleMany(calls(task, 50));
    await clock.advance(10 * SECOND);
    const records = (await store.ledger.list({ kind: 'job', limit: 100 })).records;
    expect(records.filter(({ lease }) => lease !== undefined)).toHaveLength(2);
    await start([definition], { concurrency: 48 });
    await clock.advance(10 * SECOND);
    expect(state.running).toBe(50);
  });

  it('a slow ledger does not make it take more', async () => {
    const { clock, start, sleep, store } = on();
    const { task, definition } = measured('work', {}, sleep, HOUR);
    const { carillon, ledger } = await start([definition], { concurrency: 2 });
    const holds = Array.from({ length: 10 }, () => ledger.hold('acquire'));
    await carillon.scheduleMany(calls(task, 50));
    await clock.advance(SECOND);
    for (const hold of holds) hold.release();
    await clock.advance(SECOND);
    const records = (await store.ledger.list({ kind: 'job', limit: 100 })).records;
    expect(records.filter(({ lease }) => lease !== undefined)).toHaveLength(2);
  });

  it('jobs of a full task that wait for hours run once each, uninterrupted (I2)', async () => {
    const { clock, start, sleep } = on();
    const { task, state, definition } = measured('narrow', { concurrency: 1 }, sleep, 10 * MINUTE);
    const { carillon } = await start([definition]);
    await carillon.scheduleMany(calls(task, 4));
    await clock.advance(HOUR);
    expect([state.most, state.done.toSorted((a, b) => a - b)]).toEqual([1, [0, 1, 2, 3]]);
    const { jobs } = await carillon.list();
    expect(jobs.map(({ state, attemptsBegun, interruptions }) => [state, attemptsBegun, interruptions])).toEqual(
      jobs.map(() => ['done', 1, 0]),
    );
  });

  it('a full task leaves room for its queue (Q2)', async () => {
    const { clock, start, sleep } = on();
    const narrow = measured('narrow', { concurrency: 1 }, sleep, HOUR);
    const wide = measured('wide', {}, sleep, SECOND);
    const { carillon } = await start([narrow.definition, wide.definition], { concurrency: 4 });
    await carillon.scheduleMany(calls(narrow.task, 100));
    await clock.advance(SECOND);
    await carillon.scheduleMany(calls(wide.task, 30));
    await clock.advance(15 * SECOND);
    expect([narrow.state.running, wide.state.done.length, wide.state.most]).toEqual([1, 30, 3]);
  });

  it('a full queue leaves room for the others (Q2)', async () => {
    const { clock, start, sleep } = on();
    const a = measured('a', { queue: 'a' }, sleep, HOUR);
    const b = measured('b', { queue: 'b' }, sleep, SECOND);
    const options = { concurrency: 10, queues: { a: { concurrency: 2 }, b: {} } };
    const { carillon } = await start([a.definition, b.definition], options);
    await carillon.scheduleMany(calls(a.task, 100));
    await clock.advance(SECOND);
    await carillon.scheduleMany(calls(b.task, 16));
    await clock.advance(3 * SECOND);
    expect([a.state.running, b.state.done.length]).toEqual([2, 16]);
  });

  it('a queue with much to do takes what an idle one does not need', async () => {
    const { clock, start, sleep } = on();
    const a = measured('a', { queue: 'a' }, sleep, HOUR);
    const b = measured('b', { queue: 'b' }, sleep, SECOND);
    const { carillon } = await start([a.definition, b.definition], { concurrency: 10 });
    await carillon.scheduleMany(calls(a.task, 20));
    await clock.advance(MINUTE);
    expect(a.state.running).toBeGreaterThanOrEqual(9);
  });

  it('fewer slots than queues: every queue gets its turn, and one slot is one handler (Q1, Q2, I3)', async () => {
    const { clock, start, sleep } = on();
    const lanes = ['a', 'b', 'c', 'd'].map((queue) => measured(queue, { queue }, sleep, SECOND));
    const { carillon } = await start(
      lanes.map(({ definition }) => definition),
      { concurrency: 1 },
    );
    const total = () => lanes.reduce((sum, { state }) => sum + state.running, 0);
    await clock.advance(MINUTE);
    for (const { task } of lanes.toReversed()) {
      await carillon.schedule(task, 1); // the others are idle, and hold the slot with their polls
      for (let ms = 0; ms < 3 * SECOND; ms += 100) {
        await clock.advance(100);
        expect(total()).toBeLessThanOrEqual(1);
      }
    }
    expect(lanes.map(({ state }) => state.done.length)).toEqual([1, 1, 1, 1]);
  });

  it('a busy queue does not starve another of the only slot', async () => {
    const { clock, start, sleep } = on();
    const a = measured('a', { queue: 'a' }, sleep, SECOND);
    const b = measured('b', { queue: 'b' }, sleep, SECOND);
    const { carillon } = await start([a.definition, b.definition], { concurrency: 1 });
    await carillon.scheduleMany(calls(a.task, 100));
    await carillon.scheduleMany(calls(b.task, 10));
    await clock.advance(30 * SECOND);
    expect(b.state.done).toHaveLength(10);
  });

  it('an idle engine asks for little: it polls long, not often', async () => {
    const { clock, start, sleep } = on();
    const lanes = ['a', 'b'].map((queue) => measured(queue, { queue }, sleep));
    const { transport } = await start(lanes.map(({ definition }) => definition));
    await clock.advance(MINUTE);
    expect(transport.calls('receive')).toBeLessThan(10);
  });

  it.each([0, 1.5, -1, Number.NaN])('refuses a concurrency of %d', (concurrency) => {
    const { process } = stage();
    expect(() => process([], { concurrency })).toThrow(expect.objectContaining({ code: 'E_OPTIONS' }));
  });
});

it('a transport that ignores `room` does not make a full task starve the others', async () => {
  const { clock, start } = messageStage();
  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
  const narrow = measured('narrow', { concurrency: 1 }, sleep, HOUR);
  const wide = measured('wide', {}, sleep, SECOND);
  const { carillon } = await start([narrow.definition, wide.definition], { concurrency: 2 });
  await carillon.scheduleMany(Array.from({ length: 1100 }, (_, n) => ({ task: narrow.task, payload: n })));
  await carillon.schedule(wide.task, 1);
  await clock.advance(3 * SECOND);
  expect([narrow.state.running, wide.state.done.length]).toEqual([1, 1]);
});
