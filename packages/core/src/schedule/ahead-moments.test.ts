// What becomes of an occurrence that was placed ahead when everybody was away, a task is full, or a host knows no rules.

import { type Attempt, defineTask, implement, type TaskOptions } from '@carillon/core';
import { describe, expect, it, vi } from 'vitest';
import { fusedStage, gate, HOUR, MINUTE, SECOND, type Stage } from '../runtime/on-both-backends.fixture.test.js';

const work = defineTask<null>('work');
const HOURLY = { every: '1h' } as const;

/** A process whose handler notes the occurrences that it is given; an ordinary job keeps it for twelve seconds. */
async function worker(
  stage: Stage,
  handle: (attempt: Attempt) => unknown = () => undefined,
  options: Omit<TaskOptions<null>, 'schema'> = {},
) {
  const { clock } = stage;
  const from = clock.now();
  const seen: { slot: number; latenessMs: number }[] = [];
  const tasks = [
    implement(defineTask<null>('work', options), (_, attempt) => {
      if (attempt.occurrence === undefined) return new Promise<void>((end) => void clock.after(12 * SECOND, end));
      const { slot, latenessMs } = attempt.occurrence;
      seen.push({ slot: slot.getTime() - from, latenessMs });
      return handle(attempt);
    }),
  ];
  const process = await stage.start(tasks);
  return { ...process, tasks, seen, clock, stage, schedules: process.carillon.schedules };
}

/** Calls with a host that knows no rule at all. */
async function withoutRules(call: () => Promise<unknown>): Promise<void> {
  const rules = await import('../rule/rule.js');
  const unknown = vi.spyOn(rules, 'parseRule').mockImplementation(() => {
    throw new Error('a zone that this host lacks');
  });
  try {
    await call();
  } finally {
    unknown.mockRestore();
  }
}

async function occurrenceOf({ store }: Stage): Promise<string> {
  const { records } = await store.ledger.list({ kind: 'job', limit: 100 });
  return records.find(({ key }) => key.id.startsWith('s@'))!.key.id;
}

describe('what is placed ahead', () => {
  it('that its job is just being put off does not make it begun', async () => {
    const { schedules, clock, stage, tasks, seen, kill } = await worker(fusedStage());
    await schedules.put('s', work, HOURLY, null);
    await clock.advance(HOUR - 200);
    kill();
    await clock.advance(200 + 10 * MINUTE);
    const second = stage.process(tasks);
    const putOff = second.ledger.hold('commit'); // the embedded store always takes both before it commits one
    await second.carillon.start();
    await putOff.reached;
    await clock.advance(10);
    putOff.release();
    await clock.advance(MINUTE);
    expect(seen).toEqual([]);
    expect(await second.carillon.schedules.get('s')).toMatchObject({
      counts: { started: 0, missed: { 'too-late': 1 } },
    });
  });

  it.each(['pause', 'trigger'] as const)('a %s by a host that lacks the zone does not end it', async (call) => {
    const over = gate();
    const { schedules, clock, stage, tasks } = await worker(fusedStage(), () => over.opened);
    await schedules.put('s', work, { cron: '0 * * * *', timezone: 'America/Lima' }, null);
    await clock.advance(HOUR + 100);
    const other = stage.process(tasks);
    await withoutRules(() => other.carillon.schedules[call]('s'));
    over.open();
    await schedules.resume('s');
    await clock.advance(3 * HOUR);
    expect(await schedules.get('s')).toMatchObject({ state: 'active', next: expect.objectContaining({ length: 10 }) });
  });

  it('what get shows is taken back by nobody: everybody is away', async () => {
    const { schedules, clock, stage, tasks, kill } = await worker(fusedStage());
    await schedules.put('s', work, HOURLY, null);
    await clock.advance(HOUR - 200);
    kill();
    const viewer = stage.process(tasks);
    await clock.advance(200 + 30 * MINUTE);
    expect(await viewer.carillon.schedules.get('s')).toMatchObject({
      counts: { started: 0 },
      running: [],
      recent: [],
      overdueMs: 30 * MINUTE,
    });
  });

  it('what get shows is taken back by nobody: its task is full, and an edit comes', async () => {
    const { schedules, clock, carillon } = await worker(fusedStage(), () => undefined, { concurrency: 1 });
    await schedules.put('s', work, HOURLY, null);
    await clock.advance(HOUR - 2 * SECOND);
    await carillon.schedule(work, null);
    await clock.advance(2 * SECOND + 200);
    const before = (await schedules.get('s'))!;
    await schedules.pause('s');
    expect((await schedules.get('s'))!.counts.started).toBeGreaterThanOrEqual(before.counts.started);
  });

  it('a failure that pauses its schedule takes it back', async () => {
    const over = gate();
    const fails = over.opened.then(() => Promise.reject(new Error('failed')));
    fails.catch(() => {});
    let attempts = 0;
    const first = (): unknown => ((attempts += 1) === 1 ? fails : undefined);
    const { schedules, clock, seen, heard } = await worker(fusedStage(), first, { attempts: 1 });
    await schedules.put('s', work, { ...HOURLY, pauseOnFailure: true }, null);
    await clock.advance(HOUR + MINUTE);
    await schedules.put('s', work, { ...HOURLY, pauseOnFailure: true, overlap: 'allow' }, null);
    await clock.advance(HOUR - MINUTE - 200);
    over.open();
    await clock.advance(100);
    expect(heard('schedule:paused')).toHaveLength(1);
    await clock.advance(MINUTE);
    expect(seen.map(({ slot }) => slot)).toEqual([HOUR]);
  });

  it('its slot was taken in time, so a full task makes it no later than it must', async () => {
    const { schedules, clock, seen, carillon } = await worker(fusedStage(), () => undefined, { concurrency: 1 });
    await schedules.put('s', work, HOURLY, null);
    await clock.advance(HOUR - 2 * SECOND);
    await carillon.schedule(work, null);
    await clock.advance(30 * SECOND);
    expect(seen).toEqual([{ slot: HOUR, latenessMs: 10 * SECOND }]);
  });

  it('a slot that ran before its time does not run again after the schedule was put anew', async () => {
    const { schedules, clock, stage, seen, carillon } = await worker(fusedStage(), () => undefined, { keep: '0s' });
    await schedules.put('s', work, HOURLY, null);
    await clock.advance(HOUR - 400);
    await carillon.reschedule(work, { id: await occurrenceOf(stage) }, { at: new Date(clock.now()) });
    await clock.advance(50);
    await schedules.delete('s');
    await schedules.put('s', work, HOURLY, null);
    await schedules.put('s', work, { every: '30m' }, null);
    await clock.advance(MINUTE);
    expect(seen.map(({ slot }) => slot)).toEqual([HOUR]);
  });

  it('a slot that is to come is not overdue because something was asked for', async () => {
    const { schedules, clock, stage, tasks, kill } = await worker(fusedStage());
    await schedules.put('s', work, HOURLY, null);
    await clock.advance(MINUTE);
    kill();
    const viewer = stage.process(tasks);
    await viewer.carillon.schedules.trigger('s', { id: 't' });
    await clock.advance(10 * MINUTE);
    expect(await viewer.carillon.schedules.get('s')).toMatchObject({ overdueMs: 0 });
  });
});
