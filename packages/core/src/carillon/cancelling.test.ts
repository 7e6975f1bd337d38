import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import { DAY, gate, HOUR, MINUTE, onBothBackends, SECOND } from '../runtime/on-both-backends.fixture.test.js';

const backoff = { type: 'fixed', delay: '1m', jitter: 0 } as const;
const task = defineTask<string, string>('work', { in: '1h', retry: { backoff } });

onBothBackends('cancelling', (stage) => {
  /** A process with a job whose first attempt is running and ends as `then` says; later ones are done at once. */
  const withRunning = async (then: 'done' | 'throw', options: { attempts?: number } = {}) => {
    const { clock, start } = stage();
    const end = gate();
    const seen: { at: number; signal: AbortSignal }[] = [];
    const process = await start([
      implement(task, async (_, { signal }) => {
        seen.push({ at: clock.now(), signal });
        if (seen.length > 1) return 'again';
        await end.opened;
        if (then === 'throw') throw new Error('no');
        return 'ok';
      }),
    ]);
    const { id } = await process.carillon.schedule(task, 'p', { key: 'k', ...options });
    await clock.advance(HOUR);
    expect(seen).toHaveLength(1);
    return { ...process, clock, end, seen, id };
  };

  it('cancelled: it never runs, and says so by id and by key (I2, I10)', async () => {
    const { clock, start } = stage();
    let runs = 0;
    const { carillon, heard } = await start([implement(task, () => `${(runs += 1)}`)]);
    const { id } = await carillon.schedule(task, 'p', { key: 'k' });
    await clock.advance(HOUR - 1); // in its last millisecond
    expect(await carillon.cancel(task, { key: 'k' })).toEqual({ outcome: 'cancelled', id, attempts: 0 });
    expect(await carillon.cancel(task, { id })).toEqual({ outcome: 'settled', id, attempts: 0 });
    await clock.advance(2 * DAY);
    expect(runs).toBe(0);
    expect(heard('job:cancelled')).toMatchObject([{ id, key: 'k', reason: 'cancelled' }]);
    expect(await carillon.get(task, { key: 'k' })).toMatchObject({ state: 'cancelled', attempts: [] });
  });

  it('unknown: there is no such key', async () => {
    const { carillon } = stage().process([]);
    expect(await carillon.cancel(task, { key: 'nobody' })).toEqual({ outcome: 'unknown', id: undefined, attempts: 0 });
    expect(await carillon.reschedule(task, { key: 'nobody' }, { in: '1h' })).toMatchObject({ outcome: 'unknown' });
    expect(await carillon.redrive('nobody')).toMatchObject({ outcome: 'unknown' });
  });

  it('settled: it is done already', async () => {
    const { carillon, clock, end, id } = await withRunning('done');
    end.open();
    await clock.advance(SECOND);
    expect(await carillon.cancel(task, { id })).toEqual({ outcome: 'settled', id, attempts: 1 });
    expect(await carillon.reschedule(task, { id }, { in: '1h' })).toEqual({ outcome: 'settled', id, attempts: 1 });
  });

  it('running: if the attempt succeeds, it is done', async () => {
    const { carillon, clock, end, id } = await withRunning('done');
    expect(await carillon.cancel(task, { id })).toEqual({ outcome: 'running', id, attempts: 1 });
    end.open();
    await clock.advance(HOUR);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', result: 'ok' });
  });

  it('running: if the attempt fails, it is cancelled and not repeated', async () => {
    const { carillon, clock, end, id, seen, heard } = await withRunning('throw');
    expect(await carillon.cancel(task, { id })).toEqual({ outcome: 'running', id, attempts: 1 });
    end.open();
    await clock.advance(DAY);
    expect(seen).toHaveLength(1);
    expect(await carillon.get(task, { id })).toMatchObject({
      state: 'cancelled',
      failures: 1,
      error: { message: 'no' },
    });
    expect(heard('job:cancelled')).toHaveLength(1);
  });

  it('running: a failure that sets it aside is not hidden by the wish (I8)', async () => {
    const { carillon, clock, end, id } = await withRunning('throw', { attempts: 1 });
    await carillon.cancel(task, { id });
    end.open();
    await clock.advance(SECOND);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'dead', reason: 'attempts exhausted' });
  });

  it('abort reaches the handler within a third of the lease and a half', async () => {
    const { carillon, clock, id, seen, end } = await withRunning('throw');
    expect(seen[0]?.signal.aborted).toBe(false);
    await carillon.cancel(task, { id }, { abort: true });
    await clock.advance(15 * SECOND);
    expect(seen[0]?.signal.reason).toMatchObject({ code: 'E_STOPPED' });
    end.open();
    await clock.advance(SECOND);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'cancelled' });
  });

  it('a cancel without abort leaves the signal alone', async () => {
    const { carillon, clock, id, seen } = await withRunning('done');
    await carillon.cancel(task, { id });
    await clock.advance(5 * MINUTE);
    expect(seen[0]?.signal.aborted).toBe(false);
  });

  it('between two attempts a cancel ends it, and tells how many had begun', async () => {
    const { carillon, clock, end, id, seen } = await withRunning('throw');
    end.open();
    await clock.advance(30 * SECOND);
    expect(await carillon.cancel(task, { id })).toEqual({ outcome: 'cancelled', id, attempts: 1 });
    await clock.advance(DAY);
    expect(seen).toHaveLength(1);
  });

  it('an expired claim that nobody has resolved still answers running', async () => {
    const { clock, start, process } = stage();
    const worker = await start([implement(task, () => new Promise<string>(() => {}))]);
    const { id } = await worker.carillon.schedule(task, 'p');
    await clock.advance(HOUR);
    worker.kill();
    await clock.advance(HOUR);
    const { carillon } = process([]);
    expect(await carillon.cancel(task, { id })).toEqual({ outcome: 'running', id, attempts: 1 });
    const second = await start([implement(task, () => 'never')]);
    await clock.advance(HOUR);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'cancelled', interruptions: 1, attemptsBegun: 1 });
    expect(second.heard('job:started')).toEqual([]);
  });

  it('a cancel that meets the claim half-way looks again and answers running, never cancelled', async () => {
    const { clock, start, process } = stage();
    const end = gate();
    await start([implement(task, () => end.opened.then(() => 'ok'))]);
    const { carillon, ledger } = process([]);
    const { id } = await carillon.schedule(task, 'p');
    await clock.advance(HOUR - 1);
    const hold = ledger.hold('commit');
    const answer = carillon.cancel(task, { id });
    await hold.reached;
    await clock.advance(1); // the attempt begins
    hold.release();
    expect(await answer).toEqual({ outcome: 'running', id, attempts: 1 });
    end.open();
    await clock.advance(SECOND);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done' });
  });

  it('rescheduled: it runs at the new time only, earlier or later (I5, I10)', async () => {
    const { clock, start } = stage();
    const from = clock.now();
    const seen: unknown[] = [];
    const { carillon, heard } = await start([
      implement(task, (payload, { nominalAt }) => (seen.push(payload, clock.now() - from, +nominalAt - from), '')),
    ]);
    await carillon.schedule(task, 'later', { key: 'later' });
    await carillon.schedule(task, 'earlier', { key: 'earlier' });
    const at = new Date(from + 30 * MINUTE);
    expect(await carillon.reschedule(task, { key: 'earlier' }, { at })).toMatchObject({ outcome: 'rescheduled' });
    expect(await carillon.reschedule(task, { key: 'later' }, { in: '2h' })).toMatchObject({ attempts: 0 });
    await clock.advance(DAY);
    expect(seen).toEqual(['earlier', 30 * MINUTE, 30 * MINUTE, 'later', 2 * HOUR, 2 * HOUR]);
    expect(heard('job:rescheduled').map(({ dueAt }) => dueAt - from)).toEqual([30 * MINUTE, 2 * HOUR]);
  });

  it('reschedule of a running job counts if its attempt fails, and not if it succeeds', async () => {
    for (const then of ['throw', 'done'] as const) {
      const { carillon, clock, end, id, seen } = await withRunning(then);
      const from = clock.now();
      expect(await carillon.reschedule(task, { id }, { in: '3h' })).toEqual({ outcome: 'running', id, attempts: 1 });
      end.open();
      await clock.advance(DAY);
      expect(seen.slice(1).map(({ at }) => at - from)).toEqual(then === 'throw' ? [3 * HOUR] : []);
    }
  });

  it('a job that is cancelled long before its time leaves nothing behind: no loss, no dead letter (I8)', async () => {
    const { clock, start, process } = stage();
    const producer = process([]);
    await producer.carillon.schedule(task, 'p', { in: '30d', key: 'a' });
    await producer.carillon.schedule(task, 'p', { in: '30d', key: 'b' });
    await producer.carillon.cancel(task, { key: 'a' });
    await producer.carillon.reschedule(task, { key: 'b' }, { in: '1h' });
    await clock.advance(HOUR);
    const first = await start([implement(task, () => '')]);
    await clock.advance(SECOND);
    expect(first.heard('job:completed')).toHaveLength(1);
    await first.carillon.stop();
    await clock.advance(30 * DAY);
    const { carillon, heard } = await start([implement(task, () => '')]);
    await clock.advance(MINUTE);
    expect(heard('ledger:loss')).toEqual([]);
    expect((await carillon.list({ states: ['dead'] })).jobs).toEqual([]);
  });
});
