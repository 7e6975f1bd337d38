// Job trail: what there is to remember of one job to tell how it was rescued, and what its messages and records tell.

import type { Instant, LedgerRecord } from '@carillon/core/spi';

/** An attempt, as far as it was seen. */
interface SeenAttempt {
  readonly host: string | undefined;
  readonly number: number;
  fence: number;
  ended: boolean;
}

/** What there is to remember of one job. */
export interface JobTrail {
  record: LedgerRecord | undefined;
  /** The number of its latest message, and of the first one of its generation. */
  latest: number;
  first: number;
  /** The number of the latest message that has hopped. */
  hopped: number;
  /** Promised and not known to be stored: since when, by whom. */
  promised: { readonly number: number; readonly at: Instant; readonly host: string | undefined } | undefined;
  sweptBy: string | undefined;
  /** The copy that was delivered last came from a sweep. */
  byCopy: boolean;
  /** The latest of each host and number. */
  readonly attempts: SeenAttempt[];
  /** Its last attempt failed, as its handler saw it. */
  failed: boolean;
  interrupted: boolean;
  redriven: boolean;
  tombstone: boolean;
}

/** The trail of a job of which nothing is known. */
export function startTrail(): JobTrail {
  return {
    record: undefined,
    latest: 0,
    first: 0,
    hopped: 0,
    promised: undefined,
    sweptBy: undefined,
    byCopy: false,
    attempts: [],
    failed: false,
    interrupted: false,
    redriven: false,
    tombstone: false,
  };
}

/** The attempt of a job that a host has made with this number. */
export function attemptOf(
  { attempts }: JobTrail,
  host: string | undefined,
  number: number | undefined,
): SeenAttempt | undefined {
  return attempts.find((attempt) => attempt.number === number && attempt.host === host);
}

/** Remembers an attempt, in place of an earlier one of the same host and number. */
export function noteAttempt(job: JobTrail, { host, number, fence, ended }: SeenAttempt): void {
  const known = attemptOf(job, host, number);
  if (known === undefined) job.attempts.push({ host, number, fence, ended });
  else Object.assign(known, { fence, ended });
}

/** The job of a message with this id, such as `job#3`. */
export function jobOf(messageId: string): string {
  return messageId.slice(0, messageId.lastIndexOf('#'));
}

/** Which of its job's messages it is. */
export function numberOf(messageId: string): number {
  return Number(messageId.slice(messageId.lastIndexOf('#') + 1));
}

/** How often a job has been swept since its last attempt, or has hopped, from its record's body. */
export function countOf(field: 'sweeps' | 'hop', body: string): number {
  const found = body.lastIndexOf(`"${field}":`);
  return found === -1 ? 0 : Number.parseInt(body.slice(found + field.length + 3), 10);
}

/** What somebody wishes of a job, from its record's body. */
export function wishOf(body: string): 'cancel' | 'reschedule' | undefined {
  if (!body.includes('"wish":')) return undefined;
  return body.includes('"want":"cancel"') ? 'cancel' : 'reschedule';
}
