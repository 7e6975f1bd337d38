// Job body: what only the body of a job's record knows, and the body as JSON text and back.
//
// Y1  What can be told from the rest is left out: an attempt's number from its place, the count of attempts from the list
//     while it is whole. So a done job costs little more than a pending one.

import { decodePayload } from '../message/payload.js';
import type { TaskOverrides } from '../task/task.js';
import type { Due } from '../time/due.js';
import type { Instant } from '../time/instant.js';

/** An error as it is kept. */
export interface KeptError {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
}

/** An attempt that is over. */
export interface PastAttempt {
  readonly number: number;
  readonly worker: string;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
  readonly outcome: 'done' | 'failed' | 'timed-out' | 'snoozed' | 'interrupted';
  readonly error?: KeptError;
}

/** What somebody wants of a job that is being worked on; the worker's next commit yields to it, unless it is done. */
export type Wish =
  | { readonly want: 'cancel'; readonly abort: boolean; readonly reason: string }
  | { readonly want: 'reschedule'; readonly due: Due };

/** What `schedule` answered when this job was placed; kept so that a repeated call gets the same answer. */
export interface PlacedAnswer {
  readonly outcome: 'scheduled' | 'replaced' | 'running' | 'kept' | 'throttled';
  readonly id: string;
  readonly replaced?: { readonly id: string; readonly attempts: number };
  readonly same?: boolean;
}

/** Where an occurrence comes from: its schedule's rule, in time or caught up on, or a request. */
export type Origin = 'schedule' | 'catch-up' | 'trigger' | 'backfill';

/** What a job knows of the schedule whose occurrence it is. */
interface OccurrenceBody {
  readonly schedule: string;
  readonly slot: Instant;
  readonly origin: Origin;
  /** Its schedule wants to hear of its end at once. */
  readonly rings?: true;
  /** It was placed before its time: until its slot is taken its schedule may decide about it again (A8 of arrive.ts). */
  readonly ahead?: true;
  /** What the occurrence before it returned. */
  readonly previous?: unknown;
}

/** What only the body knows of a job; everything but the payload is left out at its usual value (J1 of job.ts). */
export interface JobBody {
  readonly payload: unknown;
  readonly key?: string;
  /** It stood under its key when it was written last; false once a replacement took the key. */
  readonly unkeyed?: true;
  /** Left out while the first generation, which is its placing in µs, tells it. */
  readonly placedAt?: Instant;
  /** Left out while it equals the record's due time. */
  readonly nominalAt?: Instant;
  /** A wall time, resolved again at each hop. */
  readonly wall?: { readonly wall: string; readonly timezone: string };
  readonly overrides?: TaskOverrides;
  readonly headers?: Readonly<Record<string, string>>;
  readonly neverAgain?: true;
  readonly occurrence?: OccurrenceBody;
  readonly hop?: number;
  readonly sweeps?: number;
  /** How many messages have been promised for it; names the next one. */
  readonly messages?: number;
  /** When the latest of them is to be delivered. */
  readonly lastMessageAt?: Instant;
  readonly failures?: number;
  readonly interruptions?: number;
  /** Attempts that are over, however they ended. */
  readonly starts?: number;
  /** The latest of them. */
  readonly attempts?: readonly PastAttempt[];
  readonly wish?: Wish;
  readonly answer?: PlacedAnswer;
  readonly unknownSince?: Instant;
  /** Of an on-claim job: tells its payload from another that comes under the same id. */
  readonly brief?: string;
  /** Only its dead letter is left: there is nothing to run it with. */
  readonly lost?: true;
  readonly progress?: unknown;
  readonly result?: unknown;
  readonly settledAt?: Instant;
  readonly reason?: string;
  readonly reader?: number;
}

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

const ALONE = '{"payload":';

/** Writes a body; a payload that is known as text is not written out again. */
export function writeBody(body: JobBody, payloadText: string = JSON.stringify(body.payload)): string {
  if (isAlone(body)) return `${ALONE}${payloadText}}`;
  const { attempts, starts } = body;
  const rest: { -readonly [K in keyof WrittenBody]: WrittenBody[K] | undefined } = Object.assign({}, body, {
    payload: undefined,
    attempts: undefined,
  });
  if (attempts !== undefined) {
    if (starts === attempts.length) rest.starts = undefined; // Y1
    rest.attempts = attempts.map(shortened);
  }
  const more = JSON.stringify(rest);
  return more === '{}' ? `{"payload":${payloadText}}` : `{"payload":${payloadText},${more.slice(1)}`;
}

/** The payload's own text in a body that was written with nothing beside it; undefined for any other body. */
export function payloadTextIn(text: string, body: JobBody): string | undefined {
  return isAlone(body) && text.startsWith(ALONE) && text.endsWith('}') ? text.slice(ALONE.length, -1) : undefined;
}

/** Whether a body holds its payload and nothing beside it. */
function isAlone(body: JobBody): boolean {
  return body.attempts === undefined && Object.keys(body).length === 1;
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

function shortened({ worker, startedAt, endedAt, outcome, error }: PastAttempt): WrittenAttempt {
  const tookMs = endedAt - startedAt;
  return error === undefined ? [worker, startedAt, tookMs, outcome] : [worker, startedAt, tookMs, outcome, error];
}

function restored(body: WrittenBody, attempts: readonly WrittenAttempt[]): JobBody {
  const starts = body.starts ?? attempts.length;
  return Object.assign({}, body, {
    starts,
    attempts: attempts.map(([worker, startedAt, tookMs, outcome, error], index): PastAttempt => {
      const number = starts - attempts.length + index + 1;
      return { number, worker, startedAt, endedAt: startedAt + tookMs, outcome, ...(error && { error }) };
    }),
  });
}
