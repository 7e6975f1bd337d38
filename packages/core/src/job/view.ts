// View: a job as users see it.

import { idOf, queueOf } from '../message/names.js';
import type { LedgerRecord } from '../ports/ledger.js';
import {
  attemptsBegun,
  type Job,
  type JobState,
  type KeptError,
  nominalAt,
  type Origin,
  placedAt,
  salvageJob,
} from './job.js';

/** An attempt as users see it; without `endedAt` it is running, or nobody has heard how it ended. */
export interface AttemptView {
  readonly number: number;
  readonly worker: string;
  readonly startedAt: Date;
  readonly endedAt?: Date;
  readonly outcome: 'running' | 'done' | 'failed' | 'timed-out' | 'snoozed' | 'interrupted';
  readonly error?: KeptError;
}

/** A job as users see it. */
export interface JobView<P = unknown, R = unknown> {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly key: string | undefined;
  /** `running` while an attempt has begun and nobody has heard how it ended. */
  readonly state: JobState | 'running';
  readonly payload: P;
  readonly headers: Readonly<Record<string, string>>;
  /** Of which schedule it is an occurrence, and for which slot. */
  readonly occurrence: { readonly schedule: string; readonly slot: Date; readonly origin: Origin } | undefined;
  readonly placedAt: Date;
  /** When it was meant to run. */
  readonly nominalAt: Date;
  /** When its next (or was its last) attempt is due. */
  readonly dueAt: Date;
  readonly settledAt: Date | undefined;
  /** How many attempts have begun. */
  readonly attemptsBegun: number;
  readonly failures: number;
  readonly interruptions: number;
  /** The latest attempts, oldest first. */
  readonly attempts: readonly AttemptView[];
  /** Who holds it now, and until when unless renewed. */
  readonly holder: { readonly worker: string; readonly since: Date; readonly until: Date } | undefined;
  readonly progress: unknown;
  readonly result: R | undefined;
  /** Why it ended as it did, unless it is done. */
  readonly reason: string | undefined;
  readonly error: KeptError | undefined;
}

/** Makes the view of a job's record. */
export function viewJob(namespace: string, record: LedgerRecord): JobView {
  const job = salvageJob(record);
  const { body } = job;
  const attempts = attemptsOf(job, record);
  return {
    id: idOf(namespace, record.key),
    task: job.task,
    queue: queueOf(namespace, job.queue),
    key: body.key,
    state: job.state === 'scheduled' && record.lease !== undefined ? 'running' : job.state,
    payload: body.payload,
    headers: body.headers ?? {},
    occurrence: body.occurrence && {
      schedule: body.occurrence.schedule,
      slot: new Date(body.occurrence.slot),
      origin: body.occurrence.origin,
    },
    placedAt: new Date(placedAt(job)),
    nominalAt: new Date(nominalAt(job)),
    dueAt: new Date(job.dueAt),
    settledAt: body.settledAt === undefined ? undefined : new Date(body.settledAt),
    attemptsBegun: attemptsBegun(job, record),
    failures: body.failures ?? 0,
    interruptions: (body.interruptions ?? 0) + record.interrupted.length,
    attempts,
    holder: record.lease && {
      worker: record.lease.holder,
      since: new Date(record.lease.since),
      until: new Date(record.lease.until),
    },
    progress: body.progress,
    result: body.result,
    reason: body.reason,
    error: attempts.findLast((attempt) => attempt.error !== undefined)?.error,
  };
}

function attemptsOf(job: Job, record: LedgerRecord): readonly AttemptView[] {
  const past = (job.body.attempts ?? []).map(({ number, worker, startedAt, endedAt, outcome, error }): AttemptView => {
    return {
      number,
      worker,
      startedAt: new Date(startedAt),
      endedAt: new Date(endedAt),
      outcome,
      ...(error && { error }),
    };
  });
  const begun = job.body.starts ?? 0;
  const silent = record.interrupted.map((lease, index): AttemptView => {
    return {
      number: begun + index + 1,
      worker: lease.holder,
      startedAt: new Date(lease.since),
      endedAt: new Date(lease.until),
      outcome: 'interrupted',
    };
  });
  const now: AttemptView[] = record.lease
    ? [
        {
          number: begun + silent.length + 1,
          worker: record.lease.holder,
          startedAt: new Date(record.lease.since),
          outcome: 'running',
        },
      ]
    : [];
  return [...past, ...silent, ...now];
}
