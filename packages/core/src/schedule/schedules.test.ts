import { type Attempt, defineTask, implement, type Occurrence } from '@carillon/core';
import { expect, it } from 'vitest';
import { HOUR, MINUTE, onBothBackends, SECOND } from '../runtime/on-both-backends.fixture.test.js';

const work = defineTask<{ tenant: number } | null>('work');

onBothBackends('schedules', (stage) => {
  /** One process whose handler remembers each occurrence, and does what the test says. */
  const worker = async (handle: (attempt: Attempt) => unknown = () => undefined) => {
    const { clock, start } = stage();
    const from = clock.now();
    const seen: (Occurrence & { at: number })[] = [];
    const tasks = [
      implement(work, (_, attempt) => {
        if (attempt.occurrence) seen.push({ ...attempt.occurrence, at: clock.now() - from });
        return handle(attempt);
      }),
    ];
    const process = await start(tasks);
    return { ...process, tasks, from, seen, clock, start, slots: () => seen.map(({ slot }) => slot.getTime() - from) };
  };

  it('fires at each slot, on time, and arms the next one', async () => {
    const { carillon, clock, slots, seen } = await worker();
    expect(await carillon.schedules.put('every-minute', work, { every: '1m' }, null)).toEqual({
      outcome: 'created',
      edition: 1,
    });
    await clock.advance(5 * MINUTE + 1);
    expect(slots()).toEqual([1, 2, 3, 4, 5].map((n) => n * MINUTE));
    expect(seen.every(({ latenessMs, origin }) => latenessMs === 0 && origin === 'schedule')).toBe(true);
    expect(await carillon.schedules.get('every-minute')).toMatchObject({ state: 'active', counts: { started: 5 } });
  });

  it('survives the death of the process that would have taken a slot', async () => {
    const { carillon, clock, kill, start, tasks, slots } = await worker();
    await carillon.schedules.put('hourly', work, { every: '1h' }, null);
    await clock.advance(90 * MINUTE);
    kill();
    await start(tasks);
    await clock.advance(2 * HOUR);
    expect(slots()).toEqual([HOUR, 2 * HOUR, 3 * HOUR]);
  });

  it('runs each occurrence once, whatever the number of replicas that declare it and of engines that serve it', async () => {
    const { clock, start, tasks, carillon, slots } = await worker();
    const others = await Promise.all(Array.from({ length: 19 }, () => start(tasks)));
    const answers = await Promise.all(
      [carillon, ...others.map((other) => other.carillon)].map((replica) =>
        replica.schedules.put('shared', work, { every: '10s' }, null),
      ),
    );
    expect(answers.map(({ outcome }) => outcome).toSorted()).toEqual(['created', ...Array(19).fill('unchanged')]);
    await clock.advance(MINUTE);
    expect(slots()).toEqual([1, 2, 3, 4, 5, 6].map((n) => n * 10 * SECOND));
  });
});
