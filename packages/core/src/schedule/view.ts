// View: a schedule as users see it.

import { idOf, queueOf } from '../message/names.js';
import type { LedgerRecord } from '../ports/ledger.js';
import type { Rule } from '../rule/rule.js';
import type { RuleSpec } from '../rule/spec.js';
import type { Origin } from '../job/job-body.js';
import { entriesOf } from './memory.js';
import type { CatchUp, MissReason, Schedule, ScheduleState } from './schedule.js';
import type { Overlap } from '../task/recurring.js';
import { occurrenceId } from './occurrence.js';

/** An occurrence that was placed, or slots that were missed, as users see them. */
export type PastOccurrence =
  | {
      readonly outcome: 'started';
      readonly id: string;
      readonly slot: Date;
      readonly at: Date;
      readonly origin: Origin;
    }
  | {
      readonly outcome: 'missed';
      readonly reason: MissReason;
      readonly slot: Date;
      /** The last of them, if they are several in a row. */
      readonly to: Date;
      readonly count: number;
      readonly at: Date;
    };

/** A schedule as users see it. */
export interface ScheduleView {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly state: ScheduleState;
  readonly payload: unknown;
  readonly rule: RuleSpec;
  readonly overlap: Overlap;
  readonly catchUp: CatchUp;
  readonly pauseOnFailure: boolean;
  /** How many more occurrences its limit allows; `undefined` without one. */
  readonly remaining: number | undefined;
  /** What an update compares: it rises with every edit. */
  readonly edition: number;
  readonly version: number;
  /** Equal for equal plans. */
  readonly digest: string;
  readonly declaredBy: string | undefined;
  readonly note: string | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** The slots that come next, at most ten; none unless it is active. */
  readonly next: readonly Date[];
  /** The latest of what has happened, oldest first. */
  readonly recent: readonly PastOccurrence[];
  /** Ids of the jobs of occurrences that had not ended when the schedule last looked, as far as it follows them. */
  readonly running: readonly string[];
  /** Slots that wait for those to end. */
  readonly waiting: readonly Date[];
  /** How many occurrences were started, and how many slots were missed, by reason. */
  readonly counts: { readonly started: number; readonly missed: Readonly<Partial<Record<MissReason, number>>> };
  /** Every slot up to here is settled. */
  readonly watermark: Date;
  /** How long its next slot is overdue; 0 if it is not. */
  readonly overdueMs: number;
  readonly lastResult: unknown;
  /** Why it was set aside. */
  readonly reason: string | undefined;
}

/** Makes the view of a schedule; without a rule (one that this host can't read) it has no next slots. */
export function viewSchedule(
  namespace: string,
  schedule: Schedule,
  record: Pick<LedgerRecord, 'key'>,
  rule: Rule | undefined,
  now: number,
): ScheduleView {
  const { body, state } = schedule;
  const id = idOf(namespace, record.key);
  const dueAt = rule === undefined || body.next === undefined ? schedule.dueAt : rule.dueAt(body.next, id);
  const { plan } = body;
  const active = state === 'active';
  return {
    id,
    task: plan.action.task,
    queue: queueOf(namespace, schedule.queue),
    state,
    payload: plan.action.payload,
    rule: plan.rule,
    overlap: plan.overlap,
    catchUp: plan.catchUp,
    pauseOnFailure: plan.pauseOnFailure === true,
    remaining: body.remaining,
    edition: body.edition,
    version: plan.version ?? 0,
    digest: body.digest,
    declaredBy: plan.declaredBy,
    note: body.note,
    createdAt: new Date(body.createdAt),
    updatedAt: new Date(body.updatedAt),
    next: active && rule !== undefined ? upcoming(rule, (body.next ?? Infinity) - 1, 10) : [],
    recent: entriesOf(body).map((entry): PastOccurrence => {
      const slot = new Date(entry.slot);
      const at = new Date(entry.at);
      if ('origin' in entry) {
        const id = occurrenceId(namespace, schedule.record, entry);
        return { outcome: 'started', id, slot, at, origin: entry.origin };
      }
      const { missed: reason, to = entry.slot, count = 1 } = entry;
      return { outcome: 'missed', reason, slot, to: new Date(to), count, at };
    }),
    running: (body.running ?? []).map((occurrence) => occurrenceId(namespace, schedule.record, occurrence)),
    waiting: (body.waiting ?? []).map(({ slot }) => new Date(slot)),
    counts: body.counts,
    watermark: new Date(body.watermark),
    overdueMs: active ? Math.max(0, now - dueAt) : 0,
    lastResult: body.lastResult,
    reason: body.reason,
  };
}

/** The slots of a rule after a time, at most `most`. */
export function upcoming(rule: Rule, afterMs: number, most: number): readonly Date[] {
  const slots: Date[] = [];
  for (let slot = rule.next(afterMs); slot !== undefined && slots.length < most; slot = rule.next(slot)) {
    slots.push(new Date(slot));
  }
  return slots;
}
