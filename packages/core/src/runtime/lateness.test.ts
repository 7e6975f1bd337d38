import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import { HOUR, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

onBothBackends('maxLateness', (stage) => {
  /** A job due after an hour, that a worker comes for only `lateMs` later. */
  const late = async (then: 'skip' | 'dead' | 'run', lateMs: number) => {
    const { clock, start, process } = stage();
    const task = defineTask<null>('remind', { in: '1h', maxLateness: { of: '10m', then } });
    const { id } = await process([]).carillon.schedule(task, null);
    await clock.advance(HOUR + lateMs);
    let runs = 0;
    const worker = await start([implement(task, () => void (runs += 1))]);
    await clock.advance(MINUTE);
    return { ...worker, clock, task, runs, id, job: await worker.carillon.get(task, { id }) };
  };

  it.each([
    ['skip', 'skipped', 0],
    ['dead', 'dead', 0],
    ['run', 'done', 1],
  ] as const)('beyond it: %s → %s', async (then, state, times) => {
    const { job, runs, heard } = await late(then, 10 * MINUTE);
    expect([job?.state, runs]).toEqual([state, times]);
    if (then !== 'run') expect(job?.reason).toBe('too late');
    expect(heard('job:started').map(({ late: told, latenessMs }) => [told, latenessMs])).toEqual(
      then === 'run' ? [[true, 10 * MINUTE]] : [],
    );
    expect(heard('job:skipped').length + heard('job:dead').length).toBe(1 - times);
  });

  it.each(['skip', 'dead', 'run'] as const)('just below it, %s or not, it runs and is not reported', async (then) => {
    const { job, runs, heard } = await late(then, 10 * MINUTE - 1);
    expect([job?.state, runs, heard('job:started')[0]?.late]).toEqual(['done', 1, false]);
  });

  it('what is dead for it can be redriven, and is on time again (I8)', async () => {
    const { carillon, id, clock, task } = await late('dead', HOUR);
    expect(await carillon.redrive(id)).toMatchObject({ outcome: 'redriven' });
    await clock.advance(SECOND);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', attemptsBegun: 1 });
  });

  it('counts for the first attempt only: a retry is as late as it is', async () => {
    const { clock, start } = stage();
    const backoff = { type: 'fixed', delay: '1h', jitter: 0 } as const;
    const task = defineTask<null>('remind', { maxLateness: { of: '10m', then: 'skip' }, retry: { backoff } });
    let runs = 0;
    const { carillon } = await start([
      implement(task, () => {
        runs += 1;
        if (runs === 1) throw new Error('no');
      }),
    ]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(2 * HOUR);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', attemptsBegun: 2 });
  });

  it('can be overridden by a job', async () => {
    const { clock, start, process } = stage();
    const task = defineTask<null>('remind', { in: '1h' });
    const { id } = await process([]).carillon.schedule(task, null, { maxLateness: { of: '1s', then: 'skip' } });
    await clock.advance(HOUR + SECOND);
    const { carillon } = await start([implement(task, () => {})]);
    await clock.advance(MINUTE);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'skipped', reason: 'too late' });
  });
});
