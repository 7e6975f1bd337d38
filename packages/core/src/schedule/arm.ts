// Arm: writes a schedule's record with the message that wakes it, by the same rules as a job's (K1, K3, K4 of carriage.ts).
//
// M1  A schedule that waits for nothing has no message; whatever copies of earlier ones still come find it settled.

import { type Carriage, GRACE_MS, UNSENT_MS } from '../job/carriage.js';
import { encodeEnvelope } from '../message/envelope.js';
import type { LedgerRecord, OutboxEntry, RecordContent, RecordKey } from '../ports/ledger.js';
import type { OutgoingMessage } from '../ports/outgoing-message.js';
import type { Instant } from '../time/instant.js';
import { wakeOf } from './advance.js';
import { nextOf, type Schedule, SCHEDULE_TASK, withBody, writeSchedule } from './schedule.js';

/** The content of a schedule's record, with its next message promised, behind those of what it has just placed. */
export function arm(
  schedule: Schedule,
  now: Instant,
  carriage: Carriage,
  placed: readonly OutboxEntry[] = [],
  wakeAt: Instant | undefined = wakeOf(schedule, now, carriage.fused),
): RecordContent {
  if (wakeAt === undefined) {
    return writeSchedule(nextOf(schedule, now), undefined, placed); // M1
  }
  const deliverAt = tickAt(wakeAt, now, carriage);
  if (carriage.fused) return writeSchedule(nextOf(schedule, now), deliverAt);

  const messages = (schedule.body.messages ?? 0) + 1;
  const lastMessageAt = Math.max(deliverAt, schedule.body.lastMessageAt ?? 0);
  const numbered = withBody(nextOf(schedule, now), { messages, lastMessageAt });
  const again = Math.max(deliverAt, now) + GRACE_MS;
  const tick: OutboxEntry = { message: tickMessage(numbered, deliverAt), wakeAt: again };
  return writeSchedule(numbered, now + UNSENT_MS, [...placed.map((entry) => ({ ...entry, wakeAt: again })), tick]);
}

/** What a schedule's record still promises for its occurrences; its own ticks are stale once it is armed anew (G2). */
export function promisedOf({ key, outbox }: LedgerRecord): readonly OutboxEntry[] {
  return outbox.filter(({ message }) => !message.id.startsWith(`${tickName(key)}#`));
}

function tickName({ id }: RecordKey): string {
  return `schedule:${id}`;
}

/** When the message that wakes a schedule at `wakeAt` should be delivered. */
export function tickAt(wakeAt: Instant, now: Instant, { earlyMs, horizonMs }: Carriage): Instant {
  return Math.min(Math.max(wakeAt - earlyMs, 0), now + horizonMs);
}

/** The message that wakes a schedule. */
export function tickMessage(schedule: Schedule, deliverAt: Instant): OutgoingMessage {
  const { record, generation, dueAt, queue, body } = schedule;
  return {
    id: `${tickName(record)}#${String(body.messages ?? 0)}`,
    queue,
    deliverAt,
    body: encodeEnvelope({ key: record, generation, task: SCHEDULE_TASK, dueAt, hop: body.hop ?? 0 }),
  };
}
