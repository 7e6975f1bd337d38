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

  it('an occurrence knows its times, where it comes from, and what the one before it returned', async () => {
    const { carillon, clock, from, seen, start, tasks } = await worker(() => seen.length);
    const { schedules } = carillon;
    await schedules.put('s', work, { every: '1h', spread: '10m', catchUp: { within: '1d' } }, null);
    await clock.advance(90 * MINUTE);
    await schedules.trigger('s', { at: new Date(from + 5) });
    await clock.advance(MINUTE);
    await schedules.backfill('s', { from: new Date(from + HOUR), to: new Date(from + HOUR) });
    await clock.advance(MINUTE);
    await carillon.stop();
    await clock.advance(2 * HOUR);
    await start(tasks);
    await clock.advance(MINUTE);
    const told = seen.map(({ slot, origin, previous }) => [slot.getTime() - from, origin, previous]);
    expect(told.slice(0, 4)).toEqual([
      [HOUR, 'schedule', undefined],
      [5, 'trigger', 1],
      [HOUR, 'backfill', 2],
      [2 * HOUR, 'catch-up', 3],
    ]);
    const [first, , , late] = seen;
    const spreadMs = first!.dueAt.getTime() - first!.slot.getTime();
    expect(spreadMs).toBeGreaterThan(0);
    expect(spreadMs).toBeLessThan(10 * MINUTE);
    expect(first).toMatchObject({ startedAt: first!.dueAt, latenessMs: 0 });
    expect(late!.dueAt.getTime() - late!.slot.getTime()).toBe(spreadMs);
    expect(late!.latenessMs).toBe(late!.startedAt.getTime() - late!.dueAt.getTime());
    expect(late!.latenessMs).toBeGreaterThan(HOUR);
  });

  it('a schedule can be described: what comes, what has been, what runs and what waits', async () => {
    const { carillon, clock, from } = await worker(() => new Promise<void>(() => {}));
    await carillon.schedules.put('s', work, { every: '1m', overlap: 'buffer-one' }, { tenant: 7 });
    await clock.advance(3 * MINUTE + 1);
    const view = await carillon.schedules.get('s');
    const at = (...minutes: number[]): Date[] => minutes.map((n) => new Date(from + n * MINUTE));
    expect(view).toMatchObject({
      payload: { tenant: 7 },
      next: at(4, 5, 6, 7, 8, 9, 10, 11, 12, 13),
      running: [expect.stringMatching(/^s@/)],
      waiting: at(2),
      recent: [
        { outcome: 'started', slot: at(1)[0], origin: 'schedule' },
        { outcome: 'missed', reason: 'overlap', slot: at(3)[0], count: 1 },
      ],
      counts: { started: 1, missed: { overlap: 1 } },
      overdueMs: 0,
    });
    expect(await carillon.schedules.preview('s', 2)).toEqual(at(4, 5));
    expect(await carillon.schedules.preview('s', 2, at(30)[0])).toEqual(at(31, 32));
    expect(await carillon.schedules.preview({ every: '2m' }, 2)).toEqual(at(4, 6));
  });

  it('schedules are listed page by page, by the beginning of their ids and by their states', async () => {
    const { schedules } = (await worker()).carillon;
    const ids = Array.from({ length: 25 }, (_, index) => `tenant-${String(index).padStart(2, '0')}`);
    for (const id of [...ids, 'other']) await schedules.put(id, work, { every: '1h' }, null);
    await schedules.pause('tenant-03');
    await schedules.delete('tenant-04');
    const found = async (query: Parameters<typeof schedules.all>[0]): Promise<string[]> => {
      const seen: string[] = [];
      for await (const { id } of schedules.all(query)) seen.push(id);
      return seen.toSorted();
    };
    expect(await found({ limit: 7 })).toEqual(['other', ...ids.filter((id) => id !== 'tenant-04')]);
    expect(await found({ idPrefix: 'tenant-0' })).toEqual(ids.slice(0, 10).filter((id) => id !== 'tenant-04'));
    expect(await found({ states: ['paused'] })).toEqual(['tenant-03']);
    const page = await schedules.list({ limit: 7 });
    expect(page.schedules.length).toBeLessThanOrEqual(7);
    expect(page.cursor).toBeDefined();
  });
});
