import { type Attempt, defineTask, implement, type ScheduleSpec } from '@carillon/core';
import { describe, expect, it } from 'vitest';
import {
  fusedStage,
  gate,
  HOUR,
  MINUTE,
  onBothBackends,
  type Process,
  SECOND,
  type Stage,
} from '../runtime/on-both-backends.fixture.test.js';

const work = defineTask<null>('work');
const HOURLY = { every: '1h' } as const;
const MINUTELY = { every: '1m' } as const; // its occurrences do not tell of their ends

async function worker(stage: Stage, handle: (attempt: Attempt) => unknown = () => undefined) {
  const from = stage.clock.now();
  const seen: { slot: number; latenessMs: number; origin: string }[] = [];
  const tasks = [
    implement(work, (_, attempt) => {
      const { slot, latenessMs, origin } = attempt.occurrence!;
      seen.push({ slot: slot.getTime() - from, latenessMs, origin });
      return handle(attempt);
    }),
  ];
  const process = await stage.start(tasks);
  return { ...process, tasks, seen, from, clock: stage.clock, stage, schedules: process.carillon.schedules };
}

/** The states of all jobs that stand. */
async function jobs({ store }: Stage): Promise<readonly string[]> {
  const { records } = await store.ledger.list({ kind: 'job', limit: 100 });
  return records.map(({ state, lease }) => (lease === undefined ? state : 'running'));
}

describe('an occurrence that is placed ahead', () => {
  it('stands half a second before its slot, begins at it, and is counted from then on', async () => {
    const { schedules, clock, stage, seen, heard } = await worker(fusedStage());
    await schedules.put('s', work, MINUTELY, null);
    await clock.advance(MINUTE - 501);
    expect(await jobs(stage)).toEqual([]);
    await clock.advance(1);
    expect(await jobs(stage)).toEqual(['scheduled']);
    const [slot] = (await schedules.get('s'))!.next;
    expect(await schedules.get('s')).toMatchObject({ counts: { started: 0 }, running: [], recent: [] });

    await clock.advance(499);
    expect(seen).toEqual([]);
    await clock.advance(1);
    expect(seen).toEqual([{ slot: MINUTE, latenessMs: 0, origin: 'schedule' }]);
    const described = {
      counts: { started: 1, missed: {} },
      overdueMs: 0,
      recent: [{ outcome: 'started', slot, at: slot }],
    };
    expect(await schedules.get('s')).toMatchObject(described);
    expect(heard('schedule:occurred')).toEqual([]);
    await clock.advance(500);
    expect(heard('schedule:occurred')).toEqual([expect.objectContaining({ schedule: 's', slot: slot!.getTime() })]);
    expect(await schedules.get('s')).toMatchObject(described);
  });

  it('is in time however close its neighbours are', async () => {
    const { schedules, clock, seen } = await worker(fusedStage());
    await schedules.put('even', work, { every: '1s' }, null);
    await schedules.put('uneven', work, { every: '1s', jitter: '900ms', overlap: 'allow' }, null);
    await clock.advance(60 * SECOND);
    expect(seen.length).toBeGreaterThanOrEqual(119);
    expect(seen.filter(({ latenessMs }) => latenessMs > 0)).toEqual([]);
  });

  it('is not placed while an earlier one runs', async () => {
    const over = gate();
    const { schedules, clock, stage } = await worker(fusedStage(), () => over.opened);
    await schedules.put('s', work, { every: '1m' }, null);
    await clock.advance(2 * MINUTE - 1);
    expect(await jobs(stage)).toEqual(['running']);
    over.open();
  });

  it.each<[string, number, ScheduleSpec, readonly object[]]>([
    ['misses it, if it is too late by then', 10 * MINUTE, HOURLY, []],
    [
      'runs it late, if it may be',
      10 * MINUTE,
      { ...HOURLY, catchUp: { within: '1h' } },
      [{ slot: HOUR, origin: 'catch-up' }],
    ],
    [
      'runs the latest instead, if only that may run',
      70 * MINUTE,
      { ...HOURLY, catchUp: { mode: 'once', within: '1d' } },
      [{ slot: 2 * HOUR, origin: 'catch-up' }],
    ],
    ['runs it as if nothing were after a moment', 3 * SECOND, HOURLY, [{ slot: HOUR, origin: 'schedule' }]],
  ])('lets its schedule decide again if nobody was there: it %s', async (_, awayMs, spec, ran) => {
    const { schedules, clock, stage, tasks, seen, kill } = await worker(fusedStage());
    await schedules.put('s', work, spec, null);
    await clock.advance(HOUR - 200);
    expect(await jobs(stage)).toEqual(['scheduled']);
    kill();
    await clock.advance(200 + awayMs);
    const { carillon } = await stage.start(tasks);
    await clock.advance(MINUTE);
    expect(seen).toMatchObject(ran);
    const { counts } = (await carillon.schedules.get('s'))!;
    expect(counts.started).toBe(ran.length);
    expect(counts.missed['too-late'] ?? 0).toBe(Math.floor((HOUR + awayMs) / HOUR) - ran.length);
  });

  it('is followed to its end, also as the last one that a limit allows', async () => {
    const over = gate();
    const { schedules, clock } = await worker(fusedStage(), () => over.opened);
    await schedules.put('s', work, { ...MINUTELY, limit: 1 }, null);
    await clock.advance(MINUTE + SECOND);
    expect(await schedules.get('s')).toMatchObject({ state: 'ended', running: [expect.stringMatching(/^s@/)] });
    over.open();
    await clock.advance(SECOND);
    expect(await schedules.get('s')).toMatchObject({ running: [], remaining: 0, counts: { started: 1 } });
  });

  it('counts as taken if somebody cancels it, and the next one follows', async () => {
    const { schedules, clock, stage, seen, carillon } = await worker(fusedStage());
    await schedules.put('s', work, HOURLY, null);
    await clock.advance(HOUR - 200);
    const { records } = await stage.store.ledger.list({ kind: 'job', limit: 1 });
    expect(await carillon.cancel(work, { id: records[0]!.key.id })).toMatchObject({ outcome: 'cancelled' });
    await clock.advance(HOUR + MINUTE);
    expect(seen.map(({ slot }) => slot)).toEqual([2 * HOUR]);
    expect(await schedules.get('s')).toMatchObject({ counts: { started: 2, missed: {} } });
  });
});

onBothBackends('an edit between', (stage) => {
  type Edit = (process: Pick<Process, 'carillon'>) => Promise<unknown>;
  const edits: readonly [string, Edit][] = [
    ['a pause', ({ carillon }) => carillon.schedules.pause('s')],
    ['another rule', ({ carillon }) => carillon.schedules.put('s', work, { every: '1h', offset: '5m' }, null)],
    ['a delete', ({ carillon }) => carillon.schedules.delete('s')],
    [
      'a delete and the same anew',
      async ({ carillon }) => {
        await carillon.schedules.delete('s');
        await carillon.schedules.put('s', work, HOURLY, null);
      },
    ],
    ['a trigger', ({ carillon }) => carillon.schedules.trigger('s', { id: 't', overlap: 'skip' })],
  ];
  const RAN: Readonly<Record<string, { before: readonly number[]; after: readonly number[] }>> = {
    'a pause': { before: [], after: [HOUR] },
    'another rule': { before: [HOUR + 5 * MINUTE], after: [HOUR, HOUR + 5 * MINUTE] },
    'a delete': { before: [], after: [HOUR] },
    'a delete and the same anew': { before: [HOUR], after: [HOUR] },
    'a trigger': { before: [HOUR - 1], after: [HOUR] },
  };

  it.each(edits)('its placing and its slot finds nothing placed: %s', async (name, edit) => {
    const over = gate();
    const set = await worker(stage(), () => over.opened);
    await set.schedules.put('s', work, HOURLY, null);
    await set.clock.advance(HOUR - 1);
    await edit(set);
    expect((await jobs(set.stage)).filter((state) => state === 'scheduled')).toEqual([]);
    await set.clock.advance(30 * MINUTE);
    expect(set.seen.map(({ slot }) => slot)).toEqual(RAN[name]!.before);
    over.open();
  });

  it.each(edits)('its start and the next look finds it taken: %s', async (name, edit) => {
    const over = gate();
    const set = await worker(stage(), () => over.opened);
    await set.schedules.put('s', work, HOURLY, null);
    await set.clock.advance(HOUR + 1);
    await edit(set);
    await set.clock.advance(30 * MINUTE);
    expect(set.seen.map(({ slot }) => slot).slice(0, 1)).toEqual([HOUR]);
    expect((await set.schedules.get('s'))?.counts.missed['superseded'] ?? 0).toBe(0);
    expect(set.heard('schedule:occurred')).toHaveLength(name === 'a delete and the same anew' ? 1 : set.seen.length);
    over.open();
  });
});
