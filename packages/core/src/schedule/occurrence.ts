// Occurrence: one slot of a schedule that runs: an ordinary job, in its schedule's partition.
//
// O1  Its id says schedule, slot and, for one that was asked for, the request: the same occurrence is never placed twice.
// O2  The promise of its first message is kept in the schedule's record, beside the next tick's: one change, one outbox.

import { type Carriage, carry } from '../job/carriage.js';
import { type Job, nextGeneration } from '../job/job.js';
import { idOf, jobRecord, mintedForKey } from '../message/names.js';
import type { OutboxEntry, RecordKey, Write } from '../ports/ledger.js';
import type { Instant } from '../time/instant.js';
import type { OccurrenceKey, Schedule, Start } from './schedule.js';

/** An occurrence whose end comes sooner than this before the next slot is looked at then; others tell of their end. */
const SOON_MS = 60_000;

/** The id of an occurrence's job: `daily-report@2027-03-01T08:00:00Z-7f` (O1). */
export function occurrenceId(namespace: string, schedule: RecordKey, { slot, request }: OccurrenceKey): string {
  const time = new Date(slot).toISOString().replace('.000Z', 'Z');
  const asked = request === undefined ? '' : `~${request}`;
  return mintedForKey(`${idOf(namespace, schedule)}@${time}${asked}`, schedule.partition);
}

/** The key of an occurrence's record. */
export function occurrenceRecord(namespace: string, schedule: RecordKey, occurrence: OccurrenceKey): RecordKey {
  return jobRecord(namespace, occurrenceId(namespace, schedule, occurrence), schedule.partition);
}

/** The write that places an occurrence, and the message for its schedule's outbox (O2). */
export function placeOccurrence(
  namespace: string,
  schedule: Schedule,
  start: Start,
  times: { readonly dueAt: Instant; readonly now: Instant },
  carriage: Carriage,
): { readonly write: Extract<Write, { do: 'put' }>; readonly promised: OutboxEntry | undefined } {
  const { plan, lastResult, next, waiting, remaining } = schedule.body;
  const { task, payload, neverAgain } = plan.action;
  const awaited = waiting !== undefined || (plan.overlap !== 'skip' && plan.overlap !== 'allow');
  const goesOn = schedule.state === 'active' && next !== undefined && remaining !== 0;
  const looksSoon = goesOn && next - start.slot <= SOON_MS;
  const rings = awaited || plan.pauseOnFailure === true || !looksSoon;
  const job: Job = {
    record: occurrenceRecord(namespace, schedule.record, start),
    task,
    queue: schedule.queue,
    generation: nextGeneration(0, times.now),
    state: 'scheduled',
    dueAt: times.dueAt,
    expiresAt: undefined,
    body: {
      payload,
      ...(neverAgain && { neverAgain }),
      occurrence: {
        schedule: idOf(namespace, schedule.record),
        slot: start.slot,
        origin: start.origin,
        ...(rings && { rings }),
        ...(times.dueAt > times.now && { ahead: true }),
        ...(lastResult !== undefined && { previous: lastResult }),
      },
    },
  };
  const content = carry(job, times.now, carriage);
  const [promised] = content.outbox;
  const wakeAt = promised?.wakeAt ?? content.wakeAt;
  return {
    write: { do: 'put', key: job.record, expect: { absent: true }, content: { ...content, wakeAt, outbox: [] } },
    promised,
  };
}
