import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import { HOUR, MINUTE, onBothBackends, SECOND } from '../runtime/on-both-backends.fixture.test.js';

const backoff = { type: 'fixed', delay: '1s', jitter: 0 } as const;
const task = defineTask<number, string>('work', { attempts: 2, retry: { backoff } });
const other = defineTask<number, string>('other', { attempts: 1 });

onBothBackends('dead letters', (stage) => {
  /** Five dead jobs of one task and one of another; what is redriven then succeeds. */
  const graveyard = async () => {
    const { clock, start } = stage();
    let broken = true;
    const handle = (n: number): string => {
      if (broken) throw new Error(`no ${n}`);
      return 'ok';
    };
    const process = await start([implement(task, handle), implement(other, handle)]);
    for (let n = 0; n < 5; n += 1) await process.carillon.schedule(task, n, { id: `job-${n}x`, key: `k${n}` });
    await process.carillon.schedule(other, 9, { id: 'other-9x' });
    await clock.advance(MINUTE);
    return { ...process, clock, mend: () => (broken = false) };
  };

  it('are listed with reason, last error and payload (I8)', async () => {
    const { carillon } = await graveyard();
    const { jobs } = await carillon.list({ states: ['dead'], task });
    expect(
      jobs.map(({ id, payload, reason, error, failures }) => [id, payload, reason, error?.message, failures]),
    ).toEqual([0, 1, 2, 3, 4].map((n) => [`job-${n}x`, n, 'attempts exhausted', `no ${n}`, 2]));
  });

  it('are redriven one by one: at once, with the counts at nought, and the history kept', async () => {
    const { carillon, clock, mend, heard } = await graveyard();
    mend();
    expect(await carillon.redrive('job-1x')).toEqual({ outcome: 'redriven', id: 'job-1x', attempts: 2 });
    await clock.advance(SECOND);
    const job = await carillon.get(task, { id: 'job-1x' });
    expect(job).toMatchObject({ state: 'done', failures: 0, attemptsBegun: 3, result: 'ok', reason: undefined });
    expect(job?.attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'done']);
    expect(heard('job:completed')).toHaveLength(1);
  });

  it('with all their attempts anew', async () => {
    const { carillon, clock } = await graveyard();
    await carillon.redrive('job-1x');
    await clock.advance(MINUTE);
    expect(await carillon.get(task, { id: 'job-1x' })).toMatchObject({ state: 'dead', failures: 2, attemptsBegun: 4 });
  });

  it('or at a time of choice', async () => {
    const { carillon, clock, mend } = await graveyard();
    mend();
    await carillon.redrive('job-1x', { in: '1h' });
    await clock.advance(HOUR - 1);
    expect(await carillon.get(task, { id: 'job-1x' })).toMatchObject({ state: 'scheduled' });
    await clock.advance(1);
    expect(await carillon.get(task, { id: 'job-1x' })).toMatchObject({ state: 'done' });
  });

  it('or by query, across pages', async () => {
    const { carillon, clock, mend } = await graveyard();
    mend();
    expect(await carillon.redriveAll({ task })).toBe(5);
    await clock.advance(SECOND);
    expect((await carillon.list({ states: ['done'] })).jobs).toHaveLength(5);
    expect(await carillon.redriveAll()).toBe(1);
    expect(await carillon.redriveAll()).toBe(0);
  });

  it('are not redriven twice by two who ask at once (I2)', async () => {
    const { carillon, clock, mend, heard } = await graveyard();
    mend();
    const answers = await Promise.all([carillon.redrive('job-1x'), carillon.redrive('job-1x')]);
    expect(answers.filter(({ outcome }) => outcome === 'redriven')).toHaveLength(1);
    await clock.advance(MINUTE);
    expect(heard('job:completed')).toHaveLength(1);
  });

  it('a job that is done is settled, and not run again', async () => {
    const { carillon, clock, mend } = await graveyard();
    mend();
    await carillon.schedule(task, 7, { id: 'fine' });
    await clock.advance(SECOND);
    expect(await carillon.redrive('fine')).toEqual({ outcome: 'settled', id: 'fine', attempts: 1 });
    expect(await carillon.redrive('nobody')).toMatchObject({ outcome: 'unknown', attempts: 0 });
  });

  it('a redriven job stands beside one that has its key by now (B3)', async () => {
    const { carillon, clock, mend, heard } = await graveyard();
    mend();
    const next = await carillon.schedule(task, 100, { key: 'k1', in: '1h' });
    expect(next.outcome).toBe('scheduled');
    await carillon.redrive('job-1x');
    await clock.advance(MINUTE);
    expect(await carillon.get(task, { key: 'k1' })).toMatchObject({ id: next.id, state: 'scheduled' });
    expect(heard('job:completed')).toMatchObject([{ id: 'job-1x' }]);
    await clock.advance(HOUR);
    expect(heard('job:completed')).toHaveLength(2);
  });
});
