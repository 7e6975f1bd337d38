// Task: the kind of work, as a name, a payload type and its defaults. Producers and workers share it.

import { CarillonError } from '../errors.js';
import type { StandardSchema } from '../message/schema.js';
import type { Backoff, BackoffData } from '../retry/backoff.js';
import type { Duration } from '../time/duration.js';
import type { Services } from './handler.js';
import type { Ruling } from './ruling.js';

/** What `retry.on` is told about a failure. */
export interface Failure {
  readonly jobId: string;
  /** How many failures have been recorded for the job, this one included. */
  readonly failures: number;
  /** Milliseconds since the job's nominal time. */
  readonly ageMs: number;
}

/** What a failure leads to: another attempt by the backoff, the dead letters, or what a ruling says. */
export type FailureVerdict = 'retry' | 'dead' | Ruling;

/** When a failed job gets another attempt. Durations are strings like `'5m'` or objects. */
export interface RetryOptions {
  /** Retry until the job is this old, counted from its nominal time; then it is dead. */
  readonly for?: Duration;
  /** How long to wait before the next attempt; default exponential from 1 s to 1 h with 10 % jitter. */
  readonly backoff?: Backoff;
  /** Decides by the error; `undefined` means `'retry'`. */
  readonly on?: (error: unknown, failure: Failure) => FailureVerdict | undefined;
}

/** What happens to a job that would start later than it should. */
export interface Lateness {
  /** From this lateness of the first attempt on … */
  readonly of: Duration;
  /** … the job is skipped, dead, or run all the same (and reported). */
  readonly then: 'skip' | 'dead' | 'run';
}

/** How a key that is taken by an open job is answered: keep that job, replace it, keep its time with the new payload
 *  (`throttle`), or throw `E_KEY_EXISTS`. */
export type OnExisting = 'keep' | 'replace' | 'throttle' | 'error';

/** A task's defaults. Every field is optional. */
export interface TaskOptions<P = never> {
  /** The lane that its jobs travel in; default `default`. */
  readonly queue?: string;
  /** How long after `schedule` a job is due; default at once. */
  readonly in?: Duration;
  /** Dead after so many recorded failures (default 10; unlimited with `retry.for`); `never-again`: a started attempt is
   *  never repeated. */
  readonly attempts?: number | 'never-again';
  readonly retry?: RetryOptions;
  /** Dead after so many attempts that began and never ended (crashes, lost leases); default 10. */
  readonly interruptions?: number;
  /** Aborts the attempt's signal after this long, and gives up on a hung `unless`; default never. */
  readonly timeout?: Duration;
  /** How many of this task one engine runs at once; default as many as the engine runs. */
  readonly concurrency?: number;
  readonly maxLateness?: Lateness;
  /** Ends the job as skipped if it answers true; asked at every hop and before every attempt. One that throws, or takes
   *  longer than `timeout`, is logged, and the job runs: better once too often than never. */
  readonly unless?: (payload: P, services: Services) => boolean | Promise<boolean>;
  /** Checks payloads, at `schedule` and before a handler. Any Standard Schema (zod, valibot, arktype …). */
  readonly schema?: StandardSchema;
  /** `on-claim` keeps nothing but the message until the job runs: for volume, without a key, and with weaker promises. */
  readonly record?: 'on-schedule' | 'on-claim';
  readonly onExisting?: OnExisting;
  /** How long a settled job is remembered; default `'3d'`, and `'30d'` for one that was set aside. */
  readonly keep?: Duration;
}

/** What one `schedule` call may override. Stored with the job, so all of it is data: `unless`, `schema` and `retry.on` stay the
 *  task's, and so does `concurrency`, which is no single job's. */
export interface TaskOverrides {
  readonly attempts?: number | 'never-again';
  readonly retry?: { readonly for?: Duration; readonly backoff?: BackoffData };
  readonly interruptions?: number;
  readonly timeout?: Duration;
  readonly maxLateness?: Lateness;
  readonly keep?: Duration;
}

declare const types: unique symbol;

/** A task token: its name, its defaults, and, for the compiler, its payload and result. */
export interface Task<in P = never, out R = unknown> {
  readonly name: string;
  readonly options: TaskOptions<P>;
  readonly [types]?: (payload: P) => R;
}

/** Any task, whatever its payload. */
export type AnyTask = Task<never, unknown>;

/** A class with a `handle` method, decorated as a task. */
export type TaskClass = abstract new (...args: never[]) => { handle(payload: never, attempt: never): unknown };

/** How a task is named in a call: by its token or by its class. */
export type TaskRef = AnyTask | TaskClass;

/** The payload that a task's handler takes; `undefined` if it takes none. */
export type PayloadOf<T extends TaskRef> = T extends abstract new (...args: never[]) => { handle: infer H }
  ? H extends (...args: infer A) => unknown
    ? A[0]
    : never
  : T extends Task<infer P, unknown>
    ? P
    : never;

/** What a task's handler returns, without rulings and promises. */
export type ResultOf<T extends TaskRef> = T extends abstract new (...args: never[]) => { handle: infer H }
  ? H extends (...args: never[]) => infer R
    ? Exclude<Awaited<R>, Ruling>
    : never
  : T extends Task<never, infer R>
    ? R
    : never;

/** Under this symbol a class carries its task; decorators put it there. */
export const TASK = Symbol.for('@carillon/task');

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$/;

/** Names a task: a light token that a producer can schedule by and a class can implement. */
export function defineTask<P, R = unknown>(
  name: string,
  options: TaskOptions<P> & { readonly schema?: StandardSchema<unknown, P> } = {},
): Task<P, R> {
  if (!NAME.test(name)) {
    throw new CarillonError('E_OPTIONS', `${JSON.stringify(name)} can't name a task.`, {
      next: 'Use 1 to 127 letters, digits, dots, dashes and underscores, starting with a letter or digit.',
    });
  }
  return Object.freeze({ name, options: Object.freeze({ ...options }) });
}

/** The token behind a task reference; throws `E_TASK_UNKNOWN` for a class that is not decorated, and for what is no reference. */
export function taskOf(ref: TaskRef): AnyTask {
  if (typeof ref === 'object' && ref !== null && typeof ref.name === 'string') return ref;
  if (typeof ref !== 'function') {
    throw new CarillonError(
      'E_TASK_UNKNOWN',
      `${ref === undefined ? 'undefined' : JSON.stringify(ref)} is not a task.`,
      {
        next: 'Pass a class decorated with @ScheduledTask(), or a token made with defineTask().',
      },
    );
  }
  const task = (ref as { [TASK]?: AnyTask })[TASK];
  if (task !== undefined && Object.hasOwn(ref, TASK)) return task;
  throw new CarillonError('E_TASK_UNKNOWN', `The class ${ref.name || '(anonymous)'} is not a task.`, {
    next: 'Decorate it with @ScheduledTask(), or schedule by a token made with defineTask().',
  });
}
