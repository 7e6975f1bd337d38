// Ahead: what a job knows of having been placed before its time by its schedule, which may decide about it again.

import { scheduleRecord } from '../message/names.js';
import type { LedgerRecord, RecordKey } from '../ports/ledger.js';
import type { Instant } from '../time/instant.js';
import { type JobBody, readBody } from './job-body.js';

/** How long before its due time an occurrence is placed, in milliseconds. */
export const AHEAD_MS = 500;
/** How long after that time its schedule takes the slot, in milliseconds. */
export const TAKE_MS = 500;
/** How long after it an occurrence that nobody has begun is its schedule's to decide about again, in milliseconds. */
export const STALE_MS = 5_000;

const MARK = '"ahead":true'; // saves reading the body; where a payload says so, a schedule is read for nothing
const NOBODY: readonly RecordKey[] = [];

/** The record of the schedule that may have to decide before a job begins: the job was placed ahead and comes late. */
export function deciderOf(namespace: string, { dueAt, body }: LedgerRecord, now: Instant): readonly RecordKey[] {
  if (now <= dueAt + STALE_MS || !body.includes(MARK)) return NOBODY;
  const occurrence = readBody(body)?.occurrence;
  return occurrence?.ahead === true ? [scheduleRecord(namespace, occurrence.schedule)] : NOBODY;
}

/** Whether a schedule has not taken the slot of a job that it placed ahead: it looks as soon as anybody is there. */
export function isUndecided({ occurrence }: JobBody, schedule: LedgerRecord | undefined): boolean {
  if (occurrence?.ahead !== true || schedule?.state !== 'active') return false;
  const { ahead } = JSON.parse(schedule.body) as { readonly ahead?: { readonly slot: Instant } };
  return ahead?.slot === occurrence.slot;
}
