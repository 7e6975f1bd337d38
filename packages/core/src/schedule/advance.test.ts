// The missed-occurrence contract, on the decision itself: whatever happens in whatever order, each slot is taken once.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineTask } from '@carillon/core';
import { parseRule, type Rule } from '../rule/rule.js';
import type { LedgerRecord } from '../ports/ledger.js';
import { resolveTask } from '../task/options.js';
import type { CatchUpMode, Overlap, ScheduleSpec } from '../task/recurring.js';
import { advance, type Advance, wakeOf } from './advance.js';
import { fateAtEdit, takeAhead, takeBack } from './ahead.js';
import { ask, pause, putPlan, resume } from './edit.js';
import { OVERLAPS, resolvePlan } from './plan.js';
import { inRows, type Miss } from './memory.js';
import type { OccurrenceKey, Schedule } from './schedule.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2027, 0, 1);
const task = resolveTask(defineTask<null>('work'));
const record = { kind: 'schedule', id: 's', partition: '00' };

/** A schedule as it stands, with everything that it has started and missed. What is placed ahead begins when time passes its
 *  slot, and stands there if time leaps over it: nobody was there. */
class Play {
  now = START + 1; // waits are even, so no request falls on a slot
  readonly started: number[] = [];
  readonly missed: Miss[] = [];
  #rule: Rule;
  #busy: readonly OccurrenceKey[] = [];
  schedule: Schedule;
  readonly #placesAhead: boolean;

  constructor(spec: ScheduleSpec, placesAhead = false) {
    this.#placesAhead = placesAhead;
    const plan = resolvePlan('s', task, spec, null, { maxBytes: 1_000 });
    this.#rule = plan.rule;
    const context = { id: 's', now: this.now, queue: 'default', record, generation: 0 };
    const { schedule } = putPlan(undefined, plan, () => plan.rule, context);
    if (schedule === undefined) throw new Error('unreachable: nothing stands yet');
    this.schedule = schedule;
  }

  /** Looks once; what runs has a record that is open, the rest is known to the ledger no more. */
  look(): Advance {
    const decided = advance(this.schedule, {
      now: this.now,
      rule: this.#rule,
      id: 's',
      placesAhead: this.#placesAhead,
      recordOf: (one) => this.#recordOf(one),
    });
    const { taken } = decided;
    if (taken !== undefined && !this.#isBusy(taken)) this.#begin(taken.slot);
    if (decided.stop?.how === 'end') this.#busy = [];
    this.#busy = [...this.#busy, ...decided.starts.map(({ start }) => start)];
    this.schedule = decided.schedule;
    for (const { start } of decided.starts) if (start.request === undefined) this.started.push(start.slot);
    this.missed.push(...decided.misses);
    return decided;
  }

  /** Looks as often as the schedule wants to. */
  settle(): void {
    for (let looks = 0; looks < 100; looks += 1) {
      this.look();
      const wakeAt = wakeOf(this.schedule, this.now, this.#placesAhead);
      if (wakeAt === undefined || wakeAt > this.now) return;
    }
    throw new Error('it never comes to rest: a slot in the past loops');
  }

  /** Lets time pass, and the schedule look whenever it wants to. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const { ahead } = this.schedule.body;
      const wakeAt = Math.max(this.now, wakeOf(this.schedule, this.now, this.#placesAhead) ?? Infinity);
      const beginsAt = ahead === undefined || this.#isBusy(ahead) ? Infinity : ahead.dueAt;
      if (Math.min(wakeAt, beginsAt) > end) break;
      this.now = Math.max(this.now, Math.min(wakeAt, beginsAt));
      if (beginsAt <= this.now) this.#begin(ahead!.slot);
      else this.settle();
    }
    this.now = end;
  }

  end(): void {
    this.#busy = [];
  }

  #begin(slot: number): void {
    this.started.push(slot);
    this.#busy = [...this.#busy, { slot, origin: 'schedule' }];
  }

  #isBusy({ slot }: { slot: number }): boolean {
    return this.#busy.some((one) => one.slot === slot);
  }

  #recordOf({ slot }: OccurrenceKey): LedgerRecord | undefined {
    const { ahead } = this.schedule.body;
    if (this.#isBusy({ slot })) return openRecord;
    const stands = ahead?.slot === slot && !this.started.includes(slot);
    return stands ? { ...openRecord, dueAt: ahead.dueAt, lease: undefined } : undefined;
  }

  /** What an edit does first. */
  #withoutAhead(): void {
    const { ahead } = this.schedule.body;
    if (ahead === undefined) return;
    const fate = fateAtEdit(ahead, this.#recordOf({ slot: ahead.slot, origin: 'schedule' }));
    this.schedule = fate === 'back' ? takeBack(this.schedule) : takeAhead(this.schedule, ahead, this.#rule, this.now);
  }

  pause(): void {
    this.#withoutAhead();
    this.schedule = pause(this.schedule, undefined, this.now).schedule ?? this.schedule;
  }

  resume(): void {
    this.#withoutAhead();
    this.schedule = resume(this.schedule, undefined, this.#rule, 's', this.now).schedule ?? this.schedule;
  }

  trigger(id: string): void {
    this.#withoutAhead();
    const request = { ask: 'trigger', id, at: this.now } as const;
    this.schedule = ask(this.schedule, request, this.now).schedule ?? this.schedule;
  }

  put(spec: ScheduleSpec): void {
    this.#withoutAhead();
    const plan = resolvePlan('s', task, spec, null, { maxBytes: 1_000 });
    const before = this.#rule;
    const context = { id: 's', now: this.now, queue: 'default', record, generation: this.schedule.generation };
    const { schedule, misses = [], partly } = putPlan(this.schedule, plan, () => before, context);
    if (schedule === undefined) return;
    this.schedule = schedule;
    this.missed.push(...misses);
    if (partly === true) this.put(spec);
    else this.#rule = plan.rule;
  }
}

const openRecord: LedgerRecord = {
  key: { kind: 'job', id: 'j', partition: '00' },
  task: 'work',
  queue: 'default',
  generation: 1,
  state: 'scheduled',
  dueAt: START,
  wakeAt: START,
  expiresAt: undefined,
  durableGrant: false,
  body: '{"payload":null}',
  outbox: [],
  version: 1,
  fence: 1,
  lease: { holder: 'w', nonce: 'n', since: START, until: START + MINUTE },
  interrupted: [],
};

/** Every slot of the misses, one by one, by a rule of one per minute. */
const slotsOf = (misses: readonly Miss[]): number[] =>
  misses.flatMap(({ slot, count }) => Array.from({ length: count }, (_, index) => slot + index * MINUTE));

describe('advance', () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom('pass', 'leap'),
        ms: fc.integer({ min: 1, max: 5 * MINUTE }).map((n) => 2 * n),
      }),
    },
    fc.record({ do: fc.constant('pass'), ms: fc.constantFrom(59_598, 59_998, 400, 1_000) }), // to about a slot
    fc.record({ do: fc.constantFrom('end', 'pause', 'resume', 'trigger', 'look') }),
  );

  it('takes each slot once, in whatever order things happen: started, waiting, or missed for a reason', () => {
    const spec = fc.record({
      overlap: fc.constantFrom<Overlap>(...OVERLAPS),
      mode: fc.constantFrom<CatchUpMode>('skip', 'once', 'all'),
      within: fc.integer({ min: 0, max: 20 }),
      placesAhead: fc.boolean(),
    });
    fc.assert(
      fc.property(spec, fc.array(step, { maxLength: 60 }), ({ overlap, mode, within, placesAhead }, steps) => {
        const play = new Play({ every: '1m', overlap, catchUp: { mode, within: { minutes: within } } }, placesAhead);
        let watermark = 0;
        for (const [index, action] of steps.entries()) {
          if ('ms' in action && action.do === 'pass') play.pass(action.ms);
          else if ('ms' in action) play.now += action.ms;
          else if (action.do === 'end') play.end();
          else if (action.do === 'pause') play.pause();
          else if (action.do === 'resume') play.resume();
          else if (action.do === 'trigger') play.trigger(`r-${String(index)}`);
          play.settle();
          expect(play.schedule.body.watermark).toBeGreaterThanOrEqual(watermark); // I4
          watermark = play.schedule.body.watermark;
        }
        play.resume();
        play.settle();

        const waiting = (play.schedule.body.waiting ?? []).filter(({ request }) => request === undefined);
        const taken = [...play.started, ...waiting.map(({ slot }) => slot), ...slotsOf(play.missed.filter(isOfRule))];
        const due = Array.from({ length: Math.floor((play.now - START) / MINUTE) }, (_, n) => START + (n + 1) * MINUTE);
        expect(taken.toSorted((a, b) => a - b)).toEqual(due);
        const total = Object.values(play.schedule.body.counts.missed).reduce((sum, count) => sum + count, 0);
        expect(total).toBe(play.missed.reduce((sum, { count }) => sum + count, 0));
      }),
      { numRuns: 300 },
    );
    function isOfRule({ slot }: Miss): boolean {
      return slot % MINUTE === 0; // a trigger that is dropped stands for a time between
    }
  });

  it('never goes back when its rule is edited, however often', () => {
    const edits = fc.array(
      fc.record({ ms: fc.integer({ min: 0, max: 5 * MINUTE }), every: fc.integer({ min: 1, max: 7 }) }),
    );
    fc.assert(
      fc.property(edits, (list) => {
        const play = new Play({ every: '1m', overlap: 'allow' });
        for (const { ms, every } of list) {
          play.now += ms;
          play.put({ every: { minutes: every }, overlap: 'allow' });
          play.settle();
        }
        const taken = [...play.started, ...play.missed.map(({ slot }) => slot)];
        expect(new Set(taken).size).toBe(taken.length);
        expect(play.started).toEqual(play.started.toSorted((a, b) => a - b));
      }),
    );
  });

  it('comes through a day of seconds in bounded steps', () => {
    const play = new Play({ every: '1s' });
    play.now += 100_000 * SECOND;
    const first = play.look();
    expect(first.starts).toEqual([]);
    expect(wakeOf(play.schedule, play.now, false)).toBeLessThanOrEqual(play.now);
    expect(inRows(first.misses)).toEqual([
      { reason: 'too-late', slot: START + SECOND, to: START + 9_900 * SECOND, count: 9_900 },
    ]);
    play.settle();
    expect(play.schedule.body.counts).toMatchObject({ missed: { 'too-late': 99_940 } });
  });

  it.each([9_950, 10_000, 10_001, 10_050, 19_950, 25_000])(
    'C3: after an outage of %i slots runs the newest of all, not of each step',
    (slots) => {
      const play = new Play({ every: '1s', overlap: 'allow', catchUp: { within: '1d', most: 70 } });
      play.now += slots * SECOND;
      play.settle();
      expect(play.started).toEqual(Array.from({ length: 70 }, (_, n) => START + (slots - 69 + n) * SECOND));
      expect(play.schedule.body.counts.missed).toEqual({ 'too-late': slots - 70 });
    },
  );

  it('E2: an edit tells of each slot that it finds untaken, however many, and is one edit', () => {
    const play = new Play({ every: '1s' });
    play.now += 25_000 * SECOND;
    play.put({ every: '1h' });
    expect(play.schedule.body).toMatchObject({ edition: 2, counts: { missed: { superseded: 25_000 } } });
    expect(inRows(play.missed)).toEqual([
      { reason: 'superseded', slot: START + SECOND, to: START + 25_000 * SECOND, count: 25_000 },
    ]);
  });

  it('K3: tells of each slot that the rule left out, however many, and the slot after them does not wait for that', () => {
    const play = new Play({ every: '1s', skip: { cron: '* * 1-2 * * *' } });
    play.now = START + 3 * HOUR - SECOND;
    play.settle();
    play.end();
    play.now = START + 3 * HOUR;
    expect(play.look().starts.map(({ start }) => start.slot)).toEqual([play.now]);
    play.settle();
    expect(play.schedule.body.counts.missed['excluded']).toBe(2 * 3_600);
    expect(play.schedule.body.toldTo).toBeUndefined();
  });

  it('K3: an edit tells of them too', () => {
    const play = new Play({ every: '1s', skip: { cron: '* * 1-2 * * *' } });
    play.now = START + 3 * HOUR;
    play.put({ every: '1h' });
    expect(play.schedule.body.counts.missed).toEqual({ superseded: 3_599 + 1, excluded: 2 * 3_600 });
  });

  it('knows no next slot earlier than the one it took', () => {
    const rule = parseRule({ every: '1m' }, 'test');
    const play = new Play({ every: '1m' });
    play.now += 90 * SECOND;
    play.look();
    expect(play.schedule.body.next).toBe(rule.next(START + MINUTE));
  });
});
