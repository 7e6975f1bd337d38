// Job body: a job's body as JSON text and back.
//
// Y1  What can be told from the rest is left out: an attempt's number from its place, the count of attempts from the list
//     while it is whole. So a done job costs little more than a pending one.

import { decodePayload } from '../message/payload.js';
import type { Instant } from '../time/instant.js';
import type { JobBody, KeptError, PastAttempt } from './job.js';

/** An attempt as it is written: who, when, for how many milliseconds, how it ended, and the error if there was one. */
type WrittenAttempt = readonly [
  worker: string,
  startedAt: Instant,
  tookMs: number,
  outcome: PastAttempt['outcome'],
  error?: KeptError,
];

/** A body as it is written. */
type WrittenBody = Omit<JobBody, 'attempts'> & { readonly attempts?: readonly WrittenAttempt[] };

/** Writes a body; a payload that is known as text is not written out again. */
export function writeBody(body: JobBody, payloadText?: string): string {
  const written = body.attempts === undefined ? body : shortened(body, body.attempts);
  if (payloadText === undefined) return JSON.stringify(written);
  const { payload: _payload, ...rest } = written;
  const more = JSON.stringify(rest);
  return more === '{}' ? `{"payload":${payloadText}}` : `{"payload":${payloadText},${more.slice(1)}`;
}

/** Reads a body; undefined if the text is none, whatever it is instead. */
export function readBody(text: string): JobBody | undefined {
  try {
    const body = decodePayload(text);
    if (typeof body !== 'object' || body === null || !('payload' in body)) return undefined;
    const { attempts } = body as WrittenBody;
    return attempts === undefined ? body : restored(body, attempts);
  } catch {
    return undefined; // the caller says what becomes of a record that can't be read
  }
}

function shortened(body: JobBody, attempts: readonly PastAttempt[]): WrittenBody {
  return {
    ...body,
    starts: body.starts === attempts.length ? undefined : body.starts,
    attempts: attempts.map(({ worker, startedAt, endedAt, outcome, error }): WrittenAttempt => {
      const took = endedAt - startedAt;
      return error === undefined ? [worker, startedAt, took, outcome] : [worker, startedAt, took, outcome, error];
    }),
  };
}

function restored(body: WrittenBody, attempts: readonly WrittenAttempt[]): JobBody {
  const starts = body.starts ?? attempts.length;
  return {
    ...body,
    starts,
    attempts: attempts.map(([worker, startedAt, tookMs, outcome, error], index): PastAttempt => {
      const number = starts - attempts.length + index + 1;
      return { number, worker, startedAt, endedAt: startedAt + tookMs, outcome, ...(error && { error }) };
    }),
  };
}
