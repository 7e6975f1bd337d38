// Bell: tells a schedule that one of its occurrences has ended.
//
// B1  A schedule has one bell, in its own partition: an occurrence rings it in the change that settles it, so no end goes
//     unheard. Ringing it twice is ringing it once.
// B2  Its generation never changes: each message of it that comes while it rings will do.
// B3  A bell that has been quiet for longer than its messages may come late is forgotten; the next ring makes it anew.

import { encodeEnvelope } from '../message/envelope.js';
import { bellRecord } from '../message/names.js';
import type { RecordContent, Write } from '../ports/ledger.js';
import type { OutgoingMessage } from '../ports/outgoing-message.js';
import type { Instant } from '../time/instant.js';
import { GRACE_MS } from './carriage.js';
import { isSettled, type Job } from './job.js';

/** Stands for the task in a bell's record. */
const BELL_TASK = '@bell';
const NONE: readonly Write[] = [];
const KEEP_QUIET_MS = 7 * 86_400_000;

/** A bell's record, rung at `now`: ringing, and wanting to be looked at at `wakeAt`, or quiet. */
export function bellContent(queue: string, now: Instant, wakeAt: Instant | undefined): RecordContent {
  return {
    generation: 0,
    queue,
    task: BELL_TASK,
    state: wakeAt === undefined ? 'quiet' : 'ringing',
    dueAt: now,
    wakeAt,
    expiresAt: wakeAt === undefined ? now + KEEP_QUIET_MS : undefined, // B3
    durableGrant: false,
    body: '{}',
    outbox: [],
  };
}

/** The message that a bell rings. */
export function bellMessage(key: Write['key'], queue: string, now: Instant): OutgoingMessage {
  const identity = { key, generation: 0, task: BELL_TASK, dueAt: now, hop: 0 }; // B2
  return { id: `bell:${key.id}#${String(now)}`, queue, deliverAt: now, body: encodeEnvelope(identity) };
}

/** The content of a job's record, and the bell that it rings if it has just ended and its schedule waits for that (B1). */
export function withBell(
  namespace: string,
  job: Job,
  content: RecordContent,
  now: Instant,
  fused: boolean,
): { readonly content: RecordContent; readonly writes: readonly Write[] } {
  const { occurrence } = job.body;
  if (occurrence?.rings !== true || !isSettled(job)) return { content, writes: NONE };
  const key = bellRecord(namespace, occurrence.schedule);
  const wakeAt = fused ? now : now + GRACE_MS;
  const ring: Write = { do: 'put', key, expect: { any: true }, content: bellContent(job.queue, now, wakeAt) };
  if (fused) return { content, writes: [ring] };
  const promised = { message: bellMessage(key, job.queue, now), wakeAt: now };
  return { content: { ...content, outbox: [...content.outbox, promised] }, writes: [ring] };
}
