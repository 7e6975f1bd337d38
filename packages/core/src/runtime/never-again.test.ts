import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import { gate, HOUR, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const task = defineTask<null>('charge', { attempts: 'never-again' });

onBothBackends('never-again', (stage) => {
  /** A job whose attempt has begun on a process that was then killed. */
  const interrupted = async () => {
    const { clock, start, process } = stage();
    const starts: string[] = [];
    const on = (name: string) => implement(task, () => (starts.push(name), new Promise<void>(() => {})));
    const first = await start([on('first')]);
    const { id } = await first.carillon.schedule(task, null, { key: 'k' });
    await clock.advance(0);
    expect(starts).toEqual(['first']);
    return { clock, start, process, starts, on, first, id };
  };

  it('a success is done', async () => {
    const { clock, start } = stage();
    let runs = 0;
    const { carillon } = await start([implement(task, () => void (runs += 1))]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(HOUR);
    expect([runs, (await carillon.get(task, { id }))?.state]).toEqual([1, 'done']);
  });

  it('a throw is dead at once: the attempt said that it failed', async () => {
    const { clock, start } = stage();
    let runs = 0;
    const failing = implement(task, () => {
      runs += 1;
      throw new Error('declined');
    });
    const { carillon } = await start([failing]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(HOUR);
    expect(runs).toBe(1);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'dead', error: { message: 'declined' } });
  });

  it('an interrupted attempt is parked as indeterminate, listed, and never begun again (I2, I8)', async () => {
    const { clock, start, starts, on, first, id } = await interrupted();
    first.kill();
    const { carillon, heard } = await start([on('second')]);
    await clock.advance(HOUR);
    expect(starts).toEqual(['first']);
    expect(heard('job:indeterminate')).toMatchObject([{ id, reason: 'interrupted' }]);
    const [listed] = (await carillon.list({ states: ['indeterminate'] })).jobs;
    expect(listed).toMatchObject({ id, attemptsBegun: 1, interruptions: 1, reason: 'interrupted' });
  });

  it('a person can redrive it: that is a new start on purpose', async () => {
    const { clock, start, starts, on, first, id } = await interrupted();
    first.kill();
    const { carillon } = await start([on('second')]);
    await clock.advance(HOUR);
    expect(await carillon.redrive(id)).toMatchObject({ outcome: 'redriven', attempts: 1 });
    await clock.advance(SECOND);
    expect(starts).toEqual(['first', 'second']);
  });

  it('a wish to reschedule does not start it again', async () => {
    const { clock, start, starts, on, first, id } = await interrupted();
    first.kill();
    await clock.advance(MINUTE);
    const { carillon } = await start([on('second')]);
    await carillon.reschedule(task, { id }, { in: '5m' });
    await clock.advance(HOUR);
    expect(starts).toEqual(['first']);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'indeterminate' });
  });

  it('a process that does not know the task, in a rolling deploy, does not wipe the interruption out', async () => {
    const { clock, start, starts, on, first, id } = await interrupted();
    first.kill();
    const stranger = await start([implement(defineTask<null>('other'), () => {})]);
    await clock.advance(2 * MINUTE);
    expect(stranger.heard('job:given-back').length).toBeGreaterThan(0);
    await stranger.carillon.stop();
    const { carillon } = await start([on('second')]);
    await clock.advance(HOUR);
    expect(starts).toEqual(['first']);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'indeterminate' });
  });

  it('a wish that comes between the claim and its answer does not wipe the interruption out', async () => {
    const { clock, start, process, starts, on, first, id } = await interrupted();
    first.kill();
    const second = await start([on('second')]);
    const commits = second.ledger.hold('commit'); // the one that parks it
    await clock.advance(30 * SECOND); // the lease of the dead ends, and the second claims it
    await commits.reached;
    await process([]).carillon.reschedule(task, { id }, { in: '5m' });
    commits.release();
    await clock.advance(HOUR);
    expect(starts).toEqual(['first']);
    expect(await second.carillon.get(task, { id })).toMatchObject({ state: 'indeterminate' });
  });

  it('a time-out that the handler heeds is dead; one that it ignores is indeterminate', async () => {
    const { clock, start } = stage();
    const timed = defineTask<'heed' | 'ignore'>('timed', { attempts: 'never-again', timeout: '1m' });
    const late = gate();
    const { carillon } = await start([
      implement(timed, async (how, { signal }) => {
        if (how === 'ignore') return late.opened;
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      }),
    ]);
    const heeds = await carillon.schedule(timed, 'heed');
    const ignores = await carillon.schedule(timed, 'ignore');
    await clock.advance(5 * MINUTE);
    late.open();
    await clock.advance(HOUR);
    expect(await carillon.get(timed, heeds)).toMatchObject({ state: 'dead', reason: 'failed' });
    expect(await carillon.get(timed, ignores)).toMatchObject({ state: 'indeterminate', reason: 'timed out' });
  });

  it('a stop that cannot wait parks it', async () => {
    const { clock, start, starts, on, first, id } = await interrupted();
    const stopped = first.carillon.stop({ within: '1s' });
    await clock.advance(10 * SECOND);
    await stopped;
    const { carillon } = await start([on('second')]);
    await clock.advance(HOUR);
    expect(starts).toEqual(['first']);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'indeterminate', reason: 'interrupted' });
  });

  it('can be asked for by a single job of another task', async () => {
    const { clock, start } = stage();
    const usual = defineTask<null>('usual', { retry: { backoff: { type: 'fixed', delay: '1s' } } });
    let runs = 0;
    const failing = implement(usual, () => {
      runs += 1;
      throw new Error('no');
    });
    const { carillon } = await start([failing]);
    await carillon.schedule(usual, null, { attempts: 'never-again' });
    await clock.advance(HOUR);
    expect(runs).toBe(1);
  });
});
