// Job trail: what there is to remember of one job to tell how it was rescued, and what its messages and records tell.

import type { Instant, LedgerRecord } from '@carillon/core/spi';

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
  /** By host and number. */
  readonly attempts: Map<string, { readonly fence: number; ended: boolean }>;
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
    attempts: new Map(),
    failed: false,
    interrupted: false,
    redriven: false,
    tombstone: false,
  };
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
