// Alias: leads from an id of the caller's to its job's partition, where the job's key decides that.
//
// N1  It is written before the job is placed, so a placed job is always found; one without a job is harmless.
// N2  An id means one job: the alias of another key refuses the id.

import { CarillonError } from '../errors.js';
import { aliasRecord } from '../message/names.js';
import type { LedgerRecord, Write } from '../ports/ledger.js';
import { keepingOf } from '../task/options.js';
import type { Placement } from './place.js';
import { writeJob } from './job.js';

const YEAR_MS = 366 * 86_400_000;

/** The write of a placement's alias; undefined if the id alone tells where the job is. */
export function aliasWrite({ namespace, job, id, ownId, keeping }: Placement): Write | undefined {
  if (!ownId || job.body.key === undefined) return undefined;
  const key = aliasRecord(namespace, id);
  if (key.partition === job.record.partition) return undefined;
  const { keepDoneMs, keepDeadMs } = keepingOf(job.body.overrides, keeping);
  const expiresAt = job.dueAt + 2 * Math.max(keepDoneMs, keepDeadMs) + YEAR_MS; // it may be rescheduled
  const content = { ...writeJob(job, undefined), state: 'alias', expiresAt, durableGrant: false, body: bodyOf(job) };
  return { do: 'put', key, expect: { absent: true }, content };
}

/** What to throw if the alias that stands is not this placement's own, of an earlier call (N2). */
export function aliasTaken({ job, id }: Placement, standing: LedgerRecord | undefined): CarillonError | undefined {
  if (standing === undefined || standing.body === bodyOf(job)) return undefined;
  return new CarillonError('E_ID_REUSED', `The id ${id} already names another job.`, {
    next: 'Repeat a call with exactly what it was first called with, or use a new id.',
    id,
  });
}

/** The partition of the job that an alias leads to. */
export function partitionOfAlias(alias: LedgerRecord): string {
  return (JSON.parse(alias.body) as [partition: string])[0];
}

function bodyOf({ record, task, body }: Placement['job']): string {
  return JSON.stringify([record.partition, task, body.key]);
}
