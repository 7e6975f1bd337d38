// Carriage: how a backend carries a job to its time: in one piece, or in hops.
//
// K1  A message is never asked for beyond the transport's horizon; the rest of the way is another hop.
// K2  A wall time is resolved again at least daily, also where nothing else would hop.
// K3  A fused store sends no message: the record is the message.
// K4  Each further message is of a new generation, so whatever copies of earlier ones still come are stale: they collapse
//     instead of going on beside it.

import { encodeEnvelope } from '../message/envelope.js';
import type { OutboxEntry, RecordContent } from '../ports/ledger.js';
import type { OutgoingMessage } from '../ports/outgoing-message.js';
import type { Instant } from '../time/instant.js';
import { bodyText, type Job, nextOf, withBody, writeJob } from './job.js';

/** What a decision must know of the backend to write a job's record and its message. */
export interface Carriage {
  readonly fused: boolean;
  readonly horizonMs: number;
  /** How much before the due time a message is asked for: the transport's precision and its usual delay. */
  readonly earlyMs: number;
}

/** How long a promised message may stay unsent before the sweep sends it, in milliseconds. */
export const UNSENT_MS = 5_000;
/** How long after its delivery time a message may be missing before the sweep sends a copy, in milliseconds. */
export const GRACE_MS = 15_000;
const DAY_MS = 86_400_000;

/** When the job's next message should be delivered, for a job that should wake at `wakeAt` (K1, K2). */
export function deliveryTime(job: Job, wakeAt: Instant, now: Instant, carriage: Carriage): Instant {
  const horizon = job.body.wall === undefined ? carriage.horizonMs : Math.min(carriage.horizonMs, DAY_MS);
  return Math.min(Math.max(wakeAt - carriage.earlyMs, 0), now + horizon);
}

/** The content of an open job's record, with the message that wakes it at `wakeAt` (by default its due time) promised. */
export function carry(job: Job, now: Instant, carriage: Carriage, wakeAt: Instant = job.dueAt): RecordContent {
  const deliverAt = deliveryTime(job, wakeAt, now, carriage);
  if (carriage.fused) return writeJob(job, deliverAt); // K3

  const lastMessageAt = Math.max(deliverAt, job.body.lastMessageAt ?? 0);
  const messages = (job.body.messages ?? 0) + 1;
  const isFirst = job.body.lastMessageAt === undefined;
  const numbered = withBody(isFirst ? job : nextOf(job, now), { messages, lastMessageAt }); // K4
  const entry: OutboxEntry = {
    message: wakeMessage(numbered, deliverAt),
    wakeAt: Math.max(deliverAt, now) + GRACE_MS,
  };
  return writeJob(numbered, now + UNSENT_MS, [entry]);
}

/** The message that wakes a job at `deliverAt`; it carries the body only if the job has no record (`onClaim`). */
export function wakeMessage(job: Job, deliverAt: Instant, onClaim = false): OutgoingMessage {
  return {
    id: `${job.record.id}#${String(job.body.messages ?? 0)}`,
    queue: job.queue,
    deliverAt,
    body: encodeEnvelope({
      key: job.record,
      generation: job.generation,
      task: job.task,
      dueAt: job.dueAt,
      hop: job.body.hop ?? 0,
      ...(onClaim && { body: bodyText(job) }),
    }),
  };
}
