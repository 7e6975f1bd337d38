import { type Attempt, defineTask, giveUp, implement, type Occurrence, type ScheduleSpec } from '@carillon/core';
import { describe, expect, it } from 'vitest';
import {
  gate,
  HOUR,
  MINUTE,
  onBothBackends,
  type Process,
  SECOND,
  type Stage,
} from '../runtime/on-both-backends.fixture.test.js';

const work = defineTask<null>('work', { attempts: 1 });

/** One process whose handler remembers each occurrence, and does what the test says. */
async function worker({ clock, start }: Stage, handle: (attempt: Attempt, index: number) => unknown = () => undefined) {
  const from = clock.now();
  const seen: Occurrence[] = [];
  const began: number[] = [];
  const tasks = [
    implement(work, (_, attempt) => {
      if (attempt.occurrence) seen.push(attempt.occurrence);
      began.push(clock.now() - from);
      return handle(attempt, seen.length - 1);
    }),
  ];
  const process = await start(tasks);
  const slots = () => seen.map(({ slot }) => slot.getTime() - from);
  return { ...process, tasks, from, seen, began, slots, clock };
}

const put = (process: Pick<Process, 'carillon'>, spec: ScheduleSpec) =>
  process.carillon.schedules.put('s', work, { every: '1m', ...spec }, null);
const missed = (process: Pick<Process, 'heard'>, from: number) =>
  process.heard('schedule:missed').map(({ reason, slot, count }) => [reason, slot - from, count]);

onBothBackends('policies of schedules', (stage) => {
  describe('overlap', () => {
    /** The first occurrence takes three and a half minutes, unless it is told to stop; the others take no time. */
    const long = async (spec: ScheduleSpec) => {
      const first = gate();
      const process = await worker(stage(), async (attempt, index) => {
        if (index > 0) return;
        const stopped = new Promise<void>((resolve) => attempt.signal.addEventListener('abort', () => resolve()));
        await Promise.race([first.opened, stopped]);
        attempt.signal.throwIfAborted();
      });
      await put(process, spec);
      await process.clock.advance(4 * MINUTE + 30 * SECOND);
      first.open();
      await process.clock.advance(MINUTE);
      return process;
    };

    it('skip: drops what comes meanwhile, and goes on afterwards', async () => {
      const process = await long({ overlap: 'skip' });
      expect(process.slots()).toEqual([MINUTE, 5 * MINUTE]);
      expect(missed(process, process.from)).toEqual([2, 3, 4].map((n) => ['overlap', n * MINUTE, 1]));
    });

    it('buffer-one: the first that came meanwhile starts as soon as there is room', async () => {
      const process = await long({ overlap: 'buffer-one' });
      expect(process.slots()).toEqual([MINUTE, 2 * MINUTE, 5 * MINUTE]);
      expect(process.began[1]).toBe(4 * MINUTE + 30 * SECOND);
      expect(missed(process, process.from)).toEqual([3, 4].map((n) => ['overlap', n * MINUTE, 1]));
    });

    it('buffer-all: all that came meanwhile start, one after the other', async () => {
      const process = await long({ overlap: 'buffer-all' });
      expect(process.slots()).toEqual([1, 2, 3, 4, 5].map((n) => n * MINUTE));
      expect(process.began.slice(1, 4)).toEqual([1, 1, 1].map((n) => n * (4 * MINUTE + 30 * SECOND)));
      expect(missed(process, process.from)).toEqual([]);
    });

    it('cancel-other: asks the one that runs to stop, and starts when it has', async () => {
      const process = await long({ overlap: 'cancel-other' });
      expect(process.slots()).toEqual([1, 2, 3, 4, 5].map((n) => n * MINUTE));
      expect(process.began[1]).toBeLessThanOrEqual(2 * MINUTE + 11 * SECOND); // a third of the lease, at most
    });

    it('terminate-other: ends the one that runs, and starts at once', async () => {
      const process = await long({ overlap: 'terminate-other' });
      expect(process.began).toEqual([1, 2, 3, 4, 5].map((n) => n * MINUTE));
      const { jobs } = await process.carillon.list({ task: work, states: ['cancelled'] });
      expect(jobs).toMatchObject([{ reason: 'overlap' }]);
    });

    it('allow: starts all of them beside each other', async () => {
      const process = await long({ overlap: 'allow' });
      expect(process.began).toEqual([1, 2, 3, 4, 5].map((n) => n * MINUTE));
    });
  });

  describe('catch-up', () => {
    /** Nobody is there from 1:30 to 5:30. */
    it.each([
      [undefined, [1, 5, 6]],
      ['once', [1, 5, 6]],
      [{ mode: 'once', within: '1h' }, [1, 5, 6]],
      [{ mode: 'all', within: '1h' }, [1, 2, 3, 4, 5, 6]],
      [{ mode: 'all', within: '1h', most: 2 }, [1, 4, 5, 6]],
      [{ mode: 'skip', within: '1h' }, [1, 5, 6]],
    ] as const)('%j', async (catchUp, minutes) => {
      const current = stage();
      const process = await worker(current);
      await put(process, { catchUp, overlap: 'buffer-all' });
      await process.clock.advance(90 * SECOND);
      await process.carillon.stop();
      await process.clock.advance(4 * MINUTE);
      const next = await current.start(process.tasks);
      await process.clock.advance(MINUTE);
      expect(process.slots()).toEqual(minutes.map((n) => n * MINUTE));
      const late = next.heard('schedule:missed').filter(({ reason }) => reason === 'too-late');
      expect(late.reduce((sum, { count }) => sum + count, 0)).toBe(6 - minutes.length);
    });

    it('comes through an outage of a month in bounded steps, and counts every slot', async () => {
      const current = stage();
      const process = await worker(current);
      await put(process, { every: '1m' });
      await process.clock.advance(90 * SECOND);
      await process.carillon.stop();
      await process.clock.advance(30 * 24 * HOUR);
      const { carillon } = await current.start(process.tasks);
      await process.clock.advance(MINUTE);
      const view = await carillon.schedules.get('s');
      const slots = (30 * 24 * HOUR + 150 * SECOND) / MINUTE;
      expect(view?.counts.started).toBe(3);
      expect(view?.counts.missed).toEqual({ 'too-late': Math.floor(slots) - 3 });
    });
  });

  it('E2: an edit or a delete tells of each slot that nobody took, however many they are', async () => {
    const current = stage();
    const process = await worker(current);
    await put(process, { every: '1s' });
    await process.carillon.stop();
    const editor = current.process(process.tasks);
    await process.clock.advance(25_000 * SECOND);
    await put(editor, { every: '2s' });
    expect(await editor.carillon.schedules.get('s')).toMatchObject({
      edition: 2,
      counts: { started: 0, missed: { superseded: 25_000 } },
    });
    await process.clock.advance(25_000 * SECOND);
    expect(await editor.carillon.schedules.delete('s')).toBe('deleted');
    const told: Record<string, number> = {};
    for (const { reason, count } of editor.heard('schedule:missed')) told[reason] = (told[reason] ?? 0) + count;
    expect(told).toEqual({ superseded: 25_000, ended: 12_500 });
  });

  it('limit: tells each slot that it cuts off once, also while one waits', async () => {
    const current = stage();
    const first = gate();
    const process = await worker(current, (_, index) => (index === 0 ? first.opened : undefined));
    await put(process, { limit: 1, overlap: 'buffer-all', catchUp: { within: '1h' } });
    await process.carillon.stop();
    await process.clock.advance(150 * SECOND);
    const again = await current.start(process.tasks);
    await process.clock.advance(2 * MINUTE);
    first.open();
    await process.clock.advance(MINUTE);
    const view = await again.carillon.schedules.get('s');
    expect(view).toMatchObject({ state: 'ended', counts: { started: 1, missed: { ended: 4 } } });
    const told = view!.recent.flatMap((one) =>
      one.outcome === 'missed' ? [one.slot.getTime(), one.to.getTime()] : [],
    );
    expect([...new Set(told)].map((slot) => slot - process.from)).toEqual([2, 3, 4, 5].map((n) => n * MINUTE));
  });

  describe('pause', () => {
    it('passes over what falls into it, and says so', async () => {
      const process = await worker(stage());
      await put(process, {});
      await process.clock.advance(90 * SECOND);
      expect(await process.carillon.schedules.pause('s', { note: 'migration' })).toBe('paused');
      await process.clock.advance(2 * MINUTE);
      expect(await process.carillon.schedules.get('s')).toMatchObject({ state: 'paused', note: 'migration', next: [] });
      expect(await process.carillon.schedules.resume('s')).toBe('resumed');
      await process.clock.advance(MINUTE);
      expect(process.slots()).toEqual([MINUTE, 4 * MINUTE]);
      expect(missed(process, process.from)).toEqual([['paused', 2 * MINUTE, 2]]);
    });

    it('E2: what passed while it was paused is told when an edit or a delete ends the matter', async () => {
      const process = await worker(stage());
      const { schedules } = process.carillon;
      await put(process, {});
      await process.clock.advance(90 * SECOND);
      await schedules.pause('s');
      await process.clock.advance(2 * MINUTE);
      await put(process, { every: '2m' });
      expect(missed(process, process.from)).toEqual([['paused', 2 * MINUTE, 2]]);
      await process.clock.advance(MINUTE);
      await schedules.resume('s');
      await process.clock.advance(2 * MINUTE);
      expect(missed(process, process.from).slice(1)).toEqual([['paused', 4 * MINUTE, 1]]);
      expect((await schedules.get('s'))?.counts).toEqual({ started: 2, missed: { paused: 3 } });
      await schedules.pause('s');
      await process.clock.advance(2 * MINUTE);
      await schedules.delete('s');
      expect(missed(process, process.from).slice(2)).toEqual([['paused', 8 * MINUTE, 1]]);
    });

    it('does not come because an occurrence failed that was asked to stop', async () => {
      const process = await worker(stage(), async ({ signal }, index) => {
        if (index > 0) return;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        signal.throwIfAborted();
      });
      await put(process, { overlap: 'cancel-other', pauseOnFailure: true });
      await process.clock.advance(4 * MINUTE);
      expect(process.slots()).toEqual([1, 2, 3, 4].map((n) => n * MINUTE));
      expect(await process.carillon.schedules.get('s')).toMatchObject({ state: 'active' });
    });

    it('comes by itself when an occurrence is dead, if asked for, before the next one', async () => {
      const process = await worker(stage(), () => giveUp('broken'));
      await put(process, { pauseOnFailure: true });
      await process.clock.advance(5 * MINUTE);
      expect(process.slots()).toEqual([MINUTE]);
      expect(await process.carillon.schedules.get('s')).toMatchObject({
        state: 'paused',
        note: expect.stringContaining('failed'),
      });
      expect(process.heard('schedule:paused')).toHaveLength(1);
    });
  });

  describe('requests', () => {
    it('trigger: runs one now, also while paused, and a repeated request once', async () => {
      const process = await worker(stage());
      await put(process, { every: '1h' });
      await process.carillon.schedules.pause('s');
      expect(await process.carillon.schedules.trigger('s', { id: 'r-1' })).toBe('requested');
      await process.clock.advance(SECOND);
      expect(await process.carillon.schedules.trigger('s', { id: 'r-1' })).toBe('unchanged');
      await process.clock.advance(SECOND);
      expect(process.seen).toMatchObject([{ origin: 'trigger', schedule: 's' }]);
      expect(process.slots()).toEqual([0]);
    });

    it('refuses a time that is none', async () => {
      const process = await worker(stage());
      const { schedules } = process.carillon;
      await put(process, {});
      const [none, some] = [new Date(NaN), new Date(0)];
      await expect(schedules.trigger('s', { at: none })).rejects.toThrow('[E_OPTIONS]');
      await expect(schedules.backfill('s', { from: some, to: none })).rejects.toThrow('[E_OPTIONS]');
      await expect(schedules.backfill('s', { from: '2027-03-01' as never, to: some })).rejects.toThrow('[E_OPTIONS]');
      await expect(schedules.preview('s', 1, none)).rejects.toThrow('[E_OPTIONS]');
    });

    it('refuses an option that nobody would read, and names those of a schedule, not of its rule alone', async () => {
      const { carillon } = await worker(stage());
      const misspelt = { every: '1h', overlpa: 'allow' } as ScheduleSpec;
      await expect(carillon.schedules.put('s', work, misspelt, null)).rejects.toThrow(
        /takes no 'overlpa'\. It takes cron, every,.* spread, overlap, catchUp,.*\[E_RULE\]/,
      );
    });

    it('backfill: runs a range again, both ends included, also what has run, under the policy that it brings', async () => {
      const process = await worker(stage());
      await put(process, { limit: 3 });
      await process.clock.advance(3 * MINUTE + SECOND);
      const range = { from: new Date(process.from + 2 * MINUTE), to: new Date(process.from + 5 * MINUTE) };
      await process.carillon.schedules.backfill('s', range, { overlap: 'buffer-all' });
      await process.clock.advance(SECOND);
      expect(process.slots()).toEqual([1, 2, 3, 2, 3, 4, 5].map((n) => n * MINUTE));
      expect(process.seen.at(-1)).toMatchObject({ origin: 'backfill' });
    });

    it('count for no limit, also if the limit is set later', async () => {
      const process = await worker(stage());
      await put(process, {});
      await process.clock.advance(MINUTE);
      for (const id of ['r-1', 'r-2', 'r-3']) {
        await process.carillon.schedules.trigger('s', { id });
        await process.clock.advance(SECOND);
      }
      await put(process, { limit: 3 });
      expect(await process.carillon.schedules.get('s')).toMatchObject({ state: 'active', remaining: 2 });
      await process.clock.advance(5 * MINUTE);
      expect(process.seen.filter(({ origin }) => origin === 'schedule')).toHaveLength(3);
    });

    it('backfill: gives one run under skip', async () => {
      const process = await worker(stage());
      await put(process, {});
      const range = { from: new Date(process.from - HOUR), to: new Date(process.from) };
      await process.carillon.schedules.backfill('s', range);
      await process.clock.advance(SECOND);
      expect(process.slots()).toEqual([-HOUR]);
      expect((await process.carillon.schedules.get('s'))?.counts.missed).toEqual({ overlap: 60 });
    });
  });

  describe('limit and end', () => {
    it('ends after so many occurrences, with a record that says so', async () => {
      const process = await worker(stage());
      await put(process, { limit: 2 });
      await process.clock.advance(10 * MINUTE);
      expect(process.slots()).toEqual([MINUTE, 2 * MINUTE]);
      expect(await process.carillon.schedules.get('s')).toMatchObject({ state: 'ended', remaining: 0 });
      expect(missed(process, process.from)).toEqual([['ended', 3 * MINUTE, 1]]);
      expect(process.heard('schedule:ended')).toHaveLength(1);
    });

    it('does not count an overlap towards the limit', async () => {
      const first = gate();
      const process = await worker(stage(), (_, index) => (index === 0 ? first.opened : undefined));
      await put(process, { limit: 2 });
      await process.clock.advance(3 * MINUTE + SECOND);
      first.open();
      await process.clock.advance(2 * MINUTE);
      expect(process.slots()).toEqual([MINUTE, 4 * MINUTE]);
    });

    it('ends when its rule does', async () => {
      const process = await worker(stage());
      await put(process, { endAt: new Date(process.from + 2 * MINUTE) });
      await process.clock.advance(10 * MINUTE);
      expect(process.slots()).toEqual([MINUTE, 2 * MINUTE]);
      expect(await process.carillon.schedules.get('s')).toMatchObject({ state: 'ended' });
    });

    it('says what was excluded', async () => {
      const process = await worker(stage());
      await put(process, { skip: { every: '2m' } });
      await process.clock.advance(4 * MINUTE);
      expect(process.slots()).toEqual([MINUTE, 3 * MINUTE]);
      expect(missed(process, process.from)).toEqual([['excluded', 2 * MINUTE, 1]]);
    });
  });

  it('hands on what the last occurrence returned', async () => {
    const process = await worker(stage(), (_, index) => ({ index }));
    await put(process, { every: '1h' });
    await process.clock.advance(3 * HOUR);
    expect(process.seen.map(({ previous }) => previous)).toEqual([undefined, { index: 0 }, { index: 1 }]);
  });
});
