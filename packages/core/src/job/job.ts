// Job: one unit of work, its states, and how it is kept in a record.
//
//   scheduled ──attempt──▶ done                 (retry, snooze, hop: stays scheduled, due later)
//      │  │  └──────────▶ dead                  (failures or age exhausted, gave up, refused, malformed, unknown task)
//      │  └─────────────▶ indeterminate         (never-again, and an attempt began without an outcome)
//      ├────────────────▶ skipped               (`unless`, too late)
//      └────────────────▶ cancelled             (cancelled, replaced)
//
//   `running` is not a state but a live or unresolved lease on a scheduled job. dead and indeterminate can be redriven,
//   which makes them scheduled again in a new generation.
//
// J1  Fields at their usual value are left out of the body, so a pending job costs little more than its payload.
// J2  A body says the oldest reader that may read it; fields that this code does not know are kept.

import { CarillonError } from '../errors.js';
import type { RecordContent, RecordKey, LedgerRecord } from '../ports/ledger.js';
import type { Instant } from '../time/instant.js';
import { type JobBody, payloadTextIn, readBody, writeBody } from './job-body.js';

export type { JobBody, KeptError, Origin, PastAttempt, PlacedAnswer, Wish } from './job-body.js';

/** The states of a job; see the picture at the head of job.ts. */
export type JobState = 'scheduled' | 'done' | 'dead' | 'indeterminate' | 'cancelled' | 'skipped';

/** The states in which a job waits for a person. */
export const SET_ASIDE: readonly JobState[] = ['dead', 'indeterminate'];

/** A job: what its record's header and body say, together. */
export interface Job {
  readonly record: RecordKey;
  readonly task: string;
  /** The queue as adapters see it. */
  readonly queue: string;
  readonly generation: number;
  readonly state: JobState;
  readonly dueAt: Instant;
  readonly expiresAt: Instant | undefined;
  readonly body: JobBody;
  /** The payload as JSON text, while it is known, so that it is not written out twice. */
  readonly payloadText?: string | undefined;
}

/** The version of job bodies that this code reads. */
export const JOB_READER = 1;

/** The most attempts that are kept with a job, and the longest error text. */
export const KEPT = { attempts: 20, message: 1000, stack: 2000 } as const;

/** Reads a job from its record; throws `E_PAYLOAD` if its body is not that of a job. */
export function readJob(record: LedgerRecord): Job {
  const body = readBody(record.body);
  if (body === undefined) {
    throw new CarillonError('E_PAYLOAD', `The record of the job ${record.key.id} is damaged.`, {
      next: 'It is set aside with its text when it is due; redrive is not possible.',
    });
  }
  return {
    record: record.key,
    task: record.task,
    queue: record.queue,
    generation: record.generation,
    state: record.state as JobState,
    dueAt: record.dueAt,
    expiresAt: record.expiresAt,
    body,
    payloadText: payloadTextIn(record.body, body),
  };
}

/** A job from its record; where the body can't be read, its text becomes the payload, so that nothing is lost. */
export function salvageJob(record: LedgerRecord): Job {
  if (readBody(record.body) !== undefined) return readJob(record);
  const { key, task, queue, generation, dueAt, expiresAt, body } = record;
  const state = record.state as JobState;
  return { record: key, task, queue, generation, state, dueAt, expiresAt, body: { payload: body } };
}

/** The record's content for a job that wants attention at `wakeAt` (`undefined` once it is settled). */
export function writeJob(job: Job, wakeAt: Instant | undefined, outbox: RecordContent['outbox'] = []): RecordContent {
  const { generation, queue, task, state, dueAt, expiresAt } = job;
  const { brief, neverAgain, result } = job.body;
  const durableGrant = neverAgain === true;
  const body = bodyText(job);
  const content = { generation, queue, task, state, dueAt, wakeAt, expiresAt, durableGrant, body, outbox };
  // Nobody would miss more of such an on-claim job than that it is over: there is no result, and nothing to look into.
  const isBrief = brief !== undefined && result === undefined && !SET_ASIDE.includes(state);
  return isBrief ? { brief, ...content } : content;
}

/** A job's body as JSON text. */
export function bodyText(job: Job): string {
  return writeBody(job.body, job.payloadText);
}

/** When the job was placed. */
export function placedAt(job: Job): Instant {
  return job.body.placedAt ?? Math.floor(job.generation / 1000);
}

/** When the job was meant to run. */
export function nominalAt(job: Job): Instant {
  return job.body.nominalAt ?? job.dueAt;
}

/** How many attempts have begun, those that ended without a word included. */
export function attemptsBegun(job: Job, record: Pick<LedgerRecord, 'lease' | 'interrupted'>): number {
  return (job.body.starts ?? 0) + record.interrupted.length + (record.lease === undefined ? 0 : 1);
}

/** Whether nothing more will happen to the job by itself. */
export function isSettled(job: Job): boolean {
  return job.state !== 'scheduled';
}

/** The next generation: it grows even after a record was lost, because the ledger's time grows. */
export function nextGeneration(previous: number, now: Instant): number {
  return Math.max(previous + 1, now * 1000);
}

/** The job in its next generation, with its time of placing kept. */
export function nextOf(job: Job, now: Instant): Job {
  return withBody({ ...job, generation: nextGeneration(job.generation, now) }, { placedAt: placedAt(job) });
}

/** The same job with these fields of the body changed; `undefined` takes a field out. */
export function withBody(job: Job, change: Partial<{ [K in keyof JobBody]: JobBody[K] | undefined }>): Job {
  return { ...job, body: Object.assign({}, job.body, change) };
}
