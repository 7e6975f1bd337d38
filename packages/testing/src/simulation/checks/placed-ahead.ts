// Placed ahead: what a change of a schedule says of the occurrence of its next slot, which may be placed shortly before it.
//
// H8  (I10) That is only done for the next slot of an active schedule that follows nothing, at most half a second before it is
//     due, and its job is there from that change on. Whoever takes the slot finds it, and in time or begun; who does anything
//     else to the schedule takes it back in the same change, and takes back nothing else.

import type { Instant, LedgerRecord, RecordKey } from '@carillon/core/spi';
import { timeOf } from '../report/plain-words.js';
import { bodyOf, mayGoBack } from './job-record.js';
import { nameIn, nameOf, type OccurrenceKey, ruleOf, type ScheduleBody, scheduleOf } from './schedule-record.js';

/** One change of a schedule, with the occurrences that it placed and those that it took back. */
export interface Change {
  readonly at: Instant;
  /** The ledger's time of it. */
  readonly ledgerAt: Instant;
  readonly host: string | undefined;
  readonly id: string;
  readonly before: LedgerRecord | undefined;
  readonly after: LedgerRecord;
  readonly placed: LedgerRecord[];
  readonly removed: LedgerRecord[];
}

/** The simulated ledger, as far as it is asked. */
interface Ledger {
  readonly records: { get(key: RecordKey): { readonly record: LedgerRecord } | undefined };
}

const AHEAD_MS = 500;
const STALE_MS = 5_000;

/** Adds what the change does to a job. */
export function follow(change: Change, before: LedgerRecord | undefined, after: LedgerRecord | undefined): void {
  if (after === undefined) change.removed.push(before!);
  else if (bodyOf(after).occurrence?.schedule === change.id && isPlaced(before, after)) change.placed.push(after);
}

/** Whether a job is the occurrence that the schedule notes as placed ahead. */
export function isAheadOf(job: LedgerRecord, { ahead }: ScheduleBody): boolean {
  return ahead !== undefined && nameIn(job.key.id, bodyOf(job).occurrence!.slot) === nameOf(ahead);
}

/** Whether a change has left the job of an occurrence alone. */
export function isLeft({ after, placed, removed }: Change, occurrence: OccurrenceKey): boolean {
  const id = idIn(after, occurrence);
  return ![...placed, ...removed].some(({ key }) => key.id === id);
}

/** Whether a job was granted for the first time, late, and its schedule had not taken its slot (H9 of chains.ts). */
export function startsTooLate(job: LedgerRecord, { records }: Pick<Ledger, 'records'>): boolean {
  const { occurrence } = bodyOf(job);
  if (occurrence === undefined || job.lease === undefined || !mayGoBack(job)) return false;
  const { partition } = job.key;
  const schedule = records.get({ kind: 'schedule', id: occurrence.schedule, partition })?.record;
  return schedule?.state === 'active' && scheduleOf(schedule).ahead?.slot === occurrence.slot;
}

/** A schedule as an edit finds it: with the slot taken whose occurrence was placed ahead and is left alone, or with none. */
export function withoutAhead(change: Change, was: ScheduleBody): ScheduleBody {
  const { ahead, ...rest } = was;
  if (ahead === undefined || !isLeft(change, ahead)) return rest;
  const { slot } = ahead;
  const { remaining, counts, running = [], plan, next: _next, ...kept } = rest;
  const next = ruleOf(was).next(slot);
  return {
    ...kept,
    plan,
    takenTo: slot,
    counts: { ...counts, started: counts.started + 1 },
    ...(next !== undefined && { next }),
    ...(remaining !== undefined && { remaining: remaining - 1 }),
    running: plan.overlap === 'allow' ? running : [...running, { slot }],
  };
}

/** What is wrong with what a change says of it (H8). */
export function* wrongAhead(change: Change & { before: LedgerRecord }, ledger: Ledger): Generator<string> {
  const { before, after, removed } = change;
  const [was, is] = [scheduleOf(before), scheduleOf(after)];
  const isNoted = is.ahead !== undefined && is.ahead.slot !== was.ahead?.slot;
  if (isNoted) yield* wrongNote(change, is, is.ahead, ledger);
  const gone = is.ahead?.slot === was.ahead?.slot ? undefined : was.ahead;
  const isTaken = gone !== undefined && is.takenTo >= gone.slot;
  const isRemoved = gone !== undefined && removed.some(({ key }) => key.id === idIn(after, gone));
  const job =
    gone && ledger.records.get({ kind: 'job', id: idIn(after, gone), partition: after.key.partition })?.record;
  const isStale = gone !== undefined && change.ledgerAt > gone.dueAt + STALE_MS && isLeft(change, gone);
  if (isTaken && isStale && job !== undefined && job.dueAt === gone.dueAt && mayGoBack(job))
    yield `${timeOf(gone.slot)} was taken, and nobody had begun it in time`;
  if (gone !== undefined && !isTaken && !isRemoved) yield `${timeOf(gone.slot)} was placed ahead, and not taken back`;
  for (const { key } of removed)
    if (gone === undefined || key.id !== idIn(after, gone)) yield `${key.id} was removed, and not placed ahead`;
}

function* wrongNote(
  { id, after, placed, ledgerAt }: Change,
  is: ScheduleBody,
  ahead: NonNullable<ScheduleBody['ahead']>,
  { records }: Ledger,
): Generator<string> {
  const time = timeOf(ahead.slot);
  if (after.state !== 'active' || ahead.slot !== is.next)
    yield `${time} was placed ahead, and is not the next slot of an active schedule`;
  if (is.running !== undefined || is.waiting !== undefined)
    yield `${time} was placed ahead, and an earlier one may not have ended`;
  if (ahead.dueAt !== ruleOf(is).dueAt(ahead.slot, id) || ahead.dueAt - ledgerAt > AHEAD_MS)
    yield `${time} was placed ahead too early`;
  const stands = records.get({ kind: 'job', id: idIn(after, ahead), partition: after.key.partition }) !== undefined;
  if (!stands && !placed.some((job) => isAheadOf(job, is)))
    yield `${time} was noted as placed ahead, and has no record`;
}

/** Whether an occurrence was placed: for the first time, or again in place of what was placed ahead and nobody has begun. */
function isPlaced(before: LedgerRecord | undefined, after: LedgerRecord): boolean {
  if (before === undefined) return true;
  const isAgain = after.generation > before.generation && after.dueAt === before.dueAt && after.state === 'scheduled';
  return isAgain && mayGoBack(before);
}

/** The id of an occurrence's job. */
export function idIn(schedule: LedgerRecord, { slot, request }: OccurrenceKey): string {
  const { id, partition } = schedule.key;
  const time = new Date(slot).toISOString().replace('.000Z', 'Z');
  return `${id}@${time}${request === undefined ? '' : `~${request}`}-${partition}`;
}
