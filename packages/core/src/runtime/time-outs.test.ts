import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import { gate, HOUR, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const backoff = { type: 'fixed', delay: '1m', jitter: 0 } as const;
const task = defineTask<null, string>('slow', { timeout: '10s', attempts: 2, retry: { backoff } });
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

onBothBackends('time-outs', (stage) => {
  it('aborts the signal after the time-out, not before, and counts a failure', async () => {
    const { clock, start } = stage();
    const aborts: number[] = [];
    const from = clock.now();
    const { carillon, heard } = await start([
      implement(task, (_, { signal }) => {
        signal.addEventListener('abort', () => aborts.push(clock.now() - from));
        return untilAborted(signal);
      }),
    ]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(10 * SECOND - 1);
    expect(aborts).toEqual([]);
    await clock.advance(HOUR);
    expect(aborts).toEqual([10 * SECOND, 80 * SECOND]);
    expect(await carillon.get(task, { id })).toMatchObject({
      state: 'dead',
      failures: 2,
      error: { code: 'E_TIMEOUT' },
    });
    expect((await carillon.get(task, { id }))?.attempts.map(({ outcome }) => outcome)).toEqual([
      'timed-out',
      'timed-out',
    ]);
    expect(heard('job:overran')).toEqual([]);
  });

  it('leaves a handler alone that ends in time', async () => {
    const { clock, start } = stage();
    let signal: AbortSignal | undefined;
    const { carillon } = await start([implement(task, (_, attempt) => ((signal = attempt.signal), 'ok'))]);
    await carillon.schedule(task, null);
    await clock.advance(HOUR);
    expect(signal?.aborted).toBe(false);
  });

  it('tells a handler that asks for its signal only when it is too late', async () => {
    const { clock, start } = stage();
    const half = gate();
    const states: boolean[] = [];
    const { carillon } = await start([
      implement(task, async (_, attempt) => {
        await half.opened;
        states.push(attempt.signal.aborted);
        return 'ok';
      }),
    ]);
    await carillon.schedule(task, null);
    await clock.advance(10 * SECOND);
    half.open();
    await clock.advance(0);
    expect(states).toEqual([true]);
  });

  it('what a handler returns in the moment after its time-out still counts', async () => {
    const { clock, start } = stage();
    const { carillon } = await start([implement(task, (_, { signal }) => untilAborted(signal).catch(() => 'just so'))]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(MINUTE);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', result: 'just so' });
  });

  it('reports a handler that ignores it, goes on without it, and refuses its late outcome (X1)', async () => {
    const { clock, start } = stage();
    const late = gate();
    const { carillon, heard } = await start([
      implement(task, (_, { number }) => (number === 1 ? late.opened.then(() => 'too late') : 'in time')),
    ]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(11 * SECOND);
    expect(heard('job:overran')).toMatchObject([{ id, attempt: 1, why: 'time-out' }]);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'scheduled', failures: 1 });
    late.open();
    await clock.advance(0);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'scheduled', failures: 1 });
    await clock.advance(HOUR);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', result: 'in time' });
    expect(heard('job:completed')).toHaveLength(1);
  });

  it('the slot of a handler that ignores its time-out is free again', async () => {
    const { clock, start } = stage();
    const seen: number[] = [];
    const stuck = defineTask<number>('stuck', { timeout: '10s', attempts: 1 });
    const { carillon } = await start([implement(stuck, (n) => (seen.push(n), new Promise<void>(() => {})))], {
      concurrency: 1,
    });
    await carillon.schedule(stuck, 1);
    await clock.advance(SECOND);
    await carillon.schedule(stuck, 2);
    await clock.advance(20 * SECOND);
    expect(seen).toEqual([1, 2]);
  });

  it('an aborted handler that ignores the cancel still runs into its time-out', async () => {
    const { clock, start } = stage();
    const long = defineTask<null>('long', { timeout: '1m' });
    const { carillon, heard } = await start([implement(long, () => new Promise<void>(() => {}))]);
    const { id } = await carillon.schedule(long, null);
    await clock.advance(SECOND);
    await carillon.cancel(long, { id }, { abort: true });
    await clock.advance(2 * MINUTE);
    expect(heard('job:overran')).toHaveLength(1);
    expect(await carillon.get(long, { id })).toMatchObject({ state: 'cancelled', failures: 1 });
  });

  it('one job can override the time-out of its task', async () => {
    const { clock, start } = stage();
    const from = clock.now();
    let abortedAt = 0;
    const { carillon } = await start([
      implement(task, (_, { signal }) => {
        signal.addEventListener('abort', () => (abortedAt = clock.now() - from));
        return untilAborted(signal);
      }),
    ]);
    await carillon.schedule(task, null, { timeout: '3s', attempts: 1 });
    await clock.advance(MINUTE);
    expect(abortedAt).toBe(3 * SECOND);
  });
});
