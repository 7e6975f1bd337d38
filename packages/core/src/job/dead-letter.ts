// Dead letter: the records of messages that never became jobs, so that they are listed with their reason and bytes (I8).

import type { Envelope } from '../message/envelope.js';
import { idOf, jobRecord } from '../message/names.js';
import { type Job, writeJob } from './job.js';
import type { Write } from '../ports/ledger.js';
import type { Delivery } from '../ports/transport.js';
import type { Instant } from '../time/instant.js';

/** The task under which messages are listed that name none. */
export const NO_TASK = '(malformed)';

const KEPT_BYTES = 4_096;
const KEEP_MS = 30 * 86_400_000;

/** A dead job that keeps (the head of) a malformed body, as base64. */
export function malformedRecord(
  namespace: string,
  id: string,
  delivery: Delivery,
  reason: string,
  now: Instant,
): { id: string; write: Write } {
  const payload = {
    bytes: delivery.body.byteLength,
    base64: Buffer.from(delivery.body.subarray(0, KEPT_BYTES)).toString('base64'),
  };
  const job = dead(
    jobRecord(namespace, id),
    NO_TASK,
    delivery.queue,
    0,
    now,
    payload,
    `malformed message: ${reason}`,
    now,
  );
  return { id, write: { do: 'put', key: job.record, expect: { absent: true }, content: writeJob(job, undefined) } };
}

/** A dead job for a message whose record the ledger no longer has: its payload went with the record. */
export function lostRecord(
  namespace: string,
  envelope: Envelope,
  queue: string,
  now: Instant,
): { id: string; write: Write } {
  const { key, task, generation, dueAt } = envelope;
  const job = dead(key, task, queue, generation, dueAt, null, 'record lost', now);
  return {
    id: idOf(namespace, key),
    write: { do: 'put', key, expect: { absent: true }, content: writeJob(job, undefined) },
  };
}

function dead(
  record: Job['record'],
  task: string,
  queue: string,
  generation: number,
  dueAt: Instant,
  payload: unknown,
  reason: string,
  now: Instant,
): Job {
  const body = { payload, reason, settledAt: now, placedAt: now, lost: true } as const;
  return { record, task, queue, generation, state: 'dead', dueAt, expiresAt: now + KEEP_MS, body };
}
