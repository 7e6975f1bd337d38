// Schedule records: finds schedules in the ledger and changes them.
//
// S1  Each change is one compare-and-set on the schedule's record: whoever loses looks again and decides again.
// S2  What was placed ahead is taken back in the change that edits, or counts as taken if it has begun (P2 of ahead.ts).

import { CarillonError } from './errors.js';
import { scheduleRecord } from './message/names.js';
import type { Ledger, LedgerRecord, Write } from './ports/ledger.js';
import type { Rule } from './rule/rule.js';
import type { Engine } from './runtime/engine.js';
import { fateAtEdit, startOf, takeAhead, takeBack } from './schedule/ahead.js';
import { arm, promisedOf } from './schedule/arm.js';
import { checkEdition, type Edit } from './schedule/edit.js';
import { occurrenceId, occurrenceRecord } from './schedule/occurrence.js';
import { checkScheduleId } from './schedule/plan.js';
import { type Ahead, readSchedule, type Schedule } from './schedule/schedule.js';
import type { Ids } from './time/clock.js';

/** What schedule records work with. */
export interface ScheduleRecordsParts {
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly ids: Ids;
  readonly namespace: string;
  /** Opens the backend. */
  readonly open: () => Promise<void>;
  /** A schedule's rule; undefined if this host can't read it. */
  readonly ruleOf: (schedule: Schedule) => Rule | undefined;
}

/** An edit that was made, or was not needed. */
interface Edited<Outcome extends string> {
  readonly outcome: Outcome;
  readonly schedule: Schedule;
}

const ROUNDS = 50;

/** The records of one namespace's schedules. */
export class ScheduleRecords {
  readonly #parts: ScheduleRecordsParts;

  constructor(parts: ScheduleRecordsParts) {
    this.#parts = parts;
  }

  /** The record of a schedule, in whatever state. */
  async find(id: string): Promise<LedgerRecord | undefined> {
    const { ledger, namespace } = this.#parts;
    return (await ledger.read([scheduleRecord(namespace, checkScheduleId(id))]))[0];
  }

  /** Those of the ids under which the ledger has no schedule that can be read. */
  async missing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const { ledger, namespace, open } = this.#parts;
    await open();
    const records = await ledger.read(ids.map((id) => scheduleRecord(namespace, id)));
    return new Set(
      ids.filter((_, index) => {
        const record = records[index];
        return record === undefined || readOrNothing(record) === undefined;
      }),
    );
  }

  /** Schedules as they may be shown; undefined where only a text is left. What was placed ahead and has begun counts as taken. */
  async shown(records: readonly LedgerRecord[]): Promise<readonly (Schedule | undefined)[]> {
    const { ledger, namespace, engine, ruleOf } = this.#parts;
    const now = engine.time.now();
    const schedules = records.map(readOrNothing);
    const come = schedules.flatMap((schedule) => {
      const ahead = schedule?.body.ahead;
      return ahead !== undefined && ahead.dueAt <= now ? [{ schedule: schedule!, ahead }] : [];
    });
    if (come.length === 0) return schedules;
    const jobs = await ledger.read(
      come.map(({ schedule, ahead }) => occurrenceRecord(namespace, schedule.record, startOf(ahead))),
    );
    const taken = new Map<Schedule | undefined, Schedule>();
    for (const [index, { schedule, ahead }] of come.entries()) {
      const rule = ruleOf(schedule);
      if (rule !== undefined && fateAtEdit(ahead, jobs[index]) === 'taken')
        taken.set(schedule, takeAhead(schedule, ahead, rule, now));
    }
    return schedules.map((schedule) => taken.get(schedule) ?? schedule);
  }

  /** Changes a schedule that stands; throws `E_SCHEDULE_UNKNOWN` or `E_SCHEDULE_CHANGED`. */
  change<Outcome extends string>(
    id: string,
    { edition }: { readonly edition?: number | undefined },
    decide: (standing: Schedule, now: number) => Edit<Outcome>,
  ): Promise<Edited<Outcome>> {
    const { engine } = this.#parts;
    return this.edit(id, (standing) => {
      if (standing === undefined || standing.state === 'deleted' || standing.state === 'dead') throw unknown(id);
      checkEdition(id, standing.body.edition, edition);
      return decide(standing, engine.time.now());
    });
  }

  /** Makes of a schedule what is decided, whether it stands or not (S1). */
  async edit<Outcome extends string>(
    id: string,
    decide: (standing: Schedule | undefined, found: LedgerRecord | undefined) => Edit<Outcome>,
  ): Promise<Edited<Outcome>> {
    const { engine, ledger, ids, namespace, open } = this.#parts;
    await open();
    refuseUnshared(ledger);
    for (let round = 0; round < ROUNDS; round += 1) {
      const found = await this.find(id);
      const { standing, back, taken } = await this.#withoutAhead(found && readOrNothing(found));
      const { outcome, schedule, misses = [], partly } = decide(standing, found);
      if (schedule === undefined) return { outcome, schedule: standing as Schedule };
      const now = engine.time.now();
      const content = arm(schedule, now, engine.carriage(), found && promisedOf(found));
      const expect = found === undefined ? ({ absent: true } as const) : { version: found.version };
      const key = scheduleRecord(namespace, id);
      const writes: Write[] = [{ do: 'put', key, expect, content }];
      if (back !== undefined) writes.push({ do: 'remove', key: back.key, expect: { version: back.version } });
      const [written] = await ledger.commit([{ nonce: ids.nonce(), writes, durable: true }]);
      if (written?.answer !== 'ok') continue; // S1
      await engine.outbox.send(
        key,
        content.outbox.map(({ message }) => message),
      );
      if (taken !== undefined) this.#tellStart(id, schedule, taken);
      this.#tell(id, standing, schedule, misses);
      if (partly !== true) return { outcome, schedule };
      round = -1; // it has come further, so it comes to an end
    }
    throw new CarillonError('E_UNCLEAR', `The schedule ${id} could not be changed: it changed itself at every try.`, {
      next: 'Nothing was changed; call again.',
      id,
    });
  }

  /** A schedule as an edit finds it (S2): with the record that goes, or the slot that counts as taken. */
  async #withoutAhead(standing: Schedule | undefined): Promise<{
    readonly standing: Schedule | undefined;
    readonly back?: LedgerRecord | undefined;
    readonly taken?: Ahead;
  }> {
    const ahead = standing?.body.ahead;
    if (standing === undefined || ahead === undefined) return { standing };
    const { ledger, namespace, engine, ruleOf } = this.#parts;
    const [record] = await ledger.read([occurrenceRecord(namespace, standing.record, startOf(ahead))]);
    if (fateAtEdit(ahead, record) === 'back') return { standing: takeBack(standing), back: record };
    const rule = ruleOf(standing);
    if (rule === undefined) return { standing }; // the next tick takes it, on a host that can read the rule
    return { standing: takeAhead(standing, ahead, rule, engine.time.now()), taken: ahead };
  }

  #tellStart(id: string, { record, body }: Schedule, { slot }: Ahead): void {
    const { engine, namespace } = this.#parts;
    engine.events.emit('schedule:occurred', {
      schedule: id,
      task: body.plan.action.task,
      id: occurrenceId(namespace, record, { slot, origin: 'schedule' }),
      slot,
      origin: 'schedule',
    });
  }

  #tell(id: string, before: Schedule | undefined, { state, body }: Schedule, misses: Edit['misses'] = []): void {
    const { events } = this.#parts.engine;
    const about = { schedule: id, task: body.plan.action.task };
    for (const miss of misses) events.emit('schedule:missed', { ...about, ...miss });
    if (state === 'paused' && before?.state !== state) events.emit('schedule:paused', { ...about, note: body.note });
    if (state === 'ended' && before?.state !== state) events.emit('schedule:ended', about);
  }
}

function readOrNothing(record: LedgerRecord): Schedule | undefined {
  try {
    return readSchedule(record);
  } catch {
    return undefined; // it was set aside: putting it starts it anew
  }
}

function refuseUnshared({ shared }: Ledger): void {
  if (shared !== false) return;
  throw new CarillonError('E_LEDGER_SHARED', 'Recurring schedules need a ledger that every engine shares.', {
    next: 'Use a shared ledger (embedded, Redis): without one each replica would run every occurrence.',
  });
}

/** The error of who names a schedule that is not there. */
export function unknown(id: string): CarillonError {
  return new CarillonError('E_SCHEDULE_UNKNOWN', `There is no schedule ${id}.`, {
    next: 'Put it first; it may have been deleted.',
    id,
  });
}
