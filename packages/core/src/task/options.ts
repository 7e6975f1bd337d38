// Options: a task's defaults and a job's overrides, resolved once into plain numbers.

import { types } from 'node:util';
import { CarillonError } from '../errors.js';
import { type Backoff, checkBackoff } from '../retry/backoff.js';
import { type Duration, durationMs } from '../time/duration.js';
import type { Instant } from '../time/instant.js';
import type { AnyTask, OnExisting, RetryOptions, TaskOptions, TaskOverrides } from './task.js';

/** How long a settled job is remembered, and one that was set aside. */
export interface Keeping {
  readonly keepDoneMs: number;
  readonly keepDeadMs: number;
}

/** How long and how often a job is tried. */
export interface ResolvedPolicy extends Keeping {
  /** Dead after so many recorded failures; `Infinity` if only the age counts. */
  readonly attempts: number;
  /** A started attempt is never repeated. */
  readonly neverAgain: boolean;
  /** Retries end when the job is this old; `Infinity` if only the count matters. */
  readonly retryForMs: number;
  readonly backoff: Backoff;
  readonly on: RetryOptions['on'];
  readonly interruptions: number;
  readonly timeoutMs: number;
  readonly lateness: { readonly ofMs: number; readonly then: 'skip' | 'dead' | 'run' } | undefined;
}

/** A task's options with every default filled in. */
export interface ResolvedTask extends ResolvedPolicy {
  readonly name: string;
  readonly queue: string;
  readonly delay: Duration;
  readonly concurrency: number;
  readonly unless: TaskOptions['unless'];
  readonly schema: TaskOptions['schema'];
  readonly record: 'on-schedule' | 'on-claim';
  readonly onExisting: OnExisting;
}

const DEFAULT_BACKOFF: Backoff = { type: 'exponential' };
const LANE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

const TASK_OPTIONS: readonly (keyof TaskOptions)[] = [
  'queue',
  'in',
  'attempts',
  'retry',
  'interruptions',
  'timeout',
  'concurrency',
  'maxLateness',
  'unless',
  'schema',
  'record',
  'onExisting',
  'keep',
];

const resolved = new WeakMap<AnyTask, ResolvedTask>();

/** Resolves a task's options, once per token; throws `E_OPTIONS` or `E_DURATION` naming the task and the option. */
export function resolveTask(task: AnyTask): ResolvedTask {
  let known = resolved.get(task);
  if (known === undefined) resolved.set(task, (known = resolve(task)));
  return known;
}

function resolve(task: AnyTask): ResolvedTask {
  const { name, options } = task;
  const at = (option: string): string => `${option} of task ${name}`;
  const ms = (value: Duration | undefined, option: string, otherwise: number): number =>
    value === undefined ? otherwise : durationMs(value, at(option));

  onlyKnown(options, TASK_OPTIONS, `The task ${name}`);
  isFunction(options.unless, at('unless'));
  isFunction(options.retry?.on, at('retry.on'));
  if (options.schema !== undefined)
    isFunction(options.schema['~standard']?.validate, at('schema (a Standard Schema)'), true);
  durationMs(options.in ?? '0s', at('in'));
  if (options.retry?.backoff !== undefined) checkBackoff(options.retry.backoff, at('retry.backoff'));
  oneOf(options.onExisting, ['keep', 'replace', 'throttle', 'error'], at('onExisting'));
  oneOf(options.record, ['on-schedule', 'on-claim'], at('record'));

  return Object.freeze({
    name,
    queue: checkQueue(options.queue ?? 'default'),
    delay: options.in ?? '0s',
    on: options.retry?.on,
    backoff: options.retry?.backoff ?? DEFAULT_BACKOFF,
    interruptions: atLeastOne(options.interruptions ?? 10, at('interruptions')),
    concurrency: atLeastOne(options.concurrency ?? Infinity, at('concurrency')),
    unless: options.unless,
    schema: options.schema,
    record: options.record ?? 'on-schedule',
    onExisting: options.onExisting ?? 'keep',
    keepDoneMs: ms(options.keep, 'keep', 3 * 86_400_000),
    keepDeadMs: ms(options.keep, 'keep', 30 * 86_400_000),
    ...policy(options, at),
  });
}

function policy(
  options: Pick<TaskOverrides, 'attempts' | 'timeout' | 'maxLateness'> & {
    readonly retry?: { readonly for?: Duration };
  },
  at: (option: string) => string,
): Pick<ResolvedPolicy, 'attempts' | 'neverAgain' | 'retryForMs' | 'timeoutMs' | 'lateness'> {
  const { attempts, retry, timeout, maxLateness } = options;
  if (attempts === 'never-again' && retry !== undefined) {
    throw new CarillonError('E_OPTIONS', `${at('attempts')} is 'never-again', and there is a retry.`, {
      next: 'Leave one of them out: what is never attempted again is not retried.',
    });
  }
  if (retry !== undefined) onlyKnown(retry, ['for', 'backoff', 'on'], at('retry'));
  if (maxLateness !== undefined) onlyKnown(maxLateness, ['of', 'then'], at('maxLateness'));
  if (maxLateness !== undefined)
    oneOf(maxLateness.then ?? 'undefined', ['skip', 'dead', 'run'], at('maxLateness.then'));
  return {
    neverAgain: attempts === 'never-again',
    attempts:
      attempts === 'never-again'
        ? 1
        : atLeastOne(attempts ?? (retry?.for === undefined ? 10 : Infinity), at('attempts')),
    retryForMs: retry?.for === undefined ? Infinity : durationMs(retry.for, at('retry.for')),
    timeoutMs: timeout === undefined ? Infinity : atLeast(durationMs(timeout, at('timeout')), 1, at('timeout')),
    lateness: maxLateness && { ofMs: durationMs(maxLateness.of, at('maxLateness.of')), then: maxLateness.then },
  };
}

/** Lays a job's overrides over its task's policy; throws `E_OPTIONS` or `E_DURATION` for bad ones. */
export function resolvePolicy(task: ResolvedTask, overrides: TaskOverrides | undefined): ResolvedPolicy {
  if (overrides === undefined) return task;
  const at = (option: string): string => `${option} of a job of task ${task.name}`;
  if (overrides.retry?.backoff !== undefined) checkBackoff(overrides.retry.backoff, at('retry.backoff'));
  const own = policy(overrides, at);
  const counted = overrides.attempts !== undefined || (overrides.retry?.for !== undefined && !task.neverAgain);
  return {
    ...task,
    ...(counted && { attempts: own.attempts, neverAgain: own.neverAgain }),
    ...(overrides.retry?.for !== undefined && { retryForMs: own.retryForMs }),
    ...(overrides.timeout !== undefined && { timeoutMs: own.timeoutMs }),
    ...(overrides.interruptions !== undefined && {
      interruptions: atLeastOne(overrides.interruptions, at('interruptions')),
    }),
    ...(overrides.maxLateness !== undefined && { lateness: own.lateness }),
    ...keepingOf(overrides, task),
    backoff: overrides.retry?.backoff ?? task.backoff,
  };
}

/** How long a job is remembered: by its own `keep`, else as its task says; throws `E_DURATION` for a bad one. */
export function keepingOf(overrides: TaskOverrides | undefined, { keepDoneMs, keepDeadMs }: Keeping): Keeping {
  if (overrides?.keep === undefined) return { keepDoneMs, keepDeadMs };
  const keepMs = durationMs(overrides.keep, 'keep of a job');
  return { keepDoneMs: keepMs, keepDeadMs: keepMs };
}

function isFunction(value: unknown, what: string, needed = false): void {
  if (typeof value === 'function' || (value === undefined && !needed)) return;
  throw new CarillonError('E_OPTIONS', `${what} is not a function.`, { next: 'Give a function, or leave it out.' });
}

/** Returns the queue's name; throws `E_OPTIONS` unless it is made of 1 to 63 letters, digits, dots, dashes, underscores. */
export function checkQueue(queue: string): string {
  if (LANE.test(queue)) return queue;
  throw new CarillonError('E_OPTIONS', `${JSON.stringify(queue)} can't name a queue.`, {
    next: 'Use 1 to 63 letters, digits, dots, dashes and underscores, starting with a letter or digit.',
  });
}

/** Returns a whole number of at least 1 (or `Infinity`); throws `E_OPTIONS` for anything else. */
export function atLeastOne(value: number, what: string): number {
  if (value === Infinity || Number.isInteger(value)) return atLeast(value, 1, what);
  throw new CarillonError('E_OPTIONS', `${what} is ${String(value)}.`, { next: 'Give a whole number of at least 1.' });
}

/** Returns the value; throws `E_OPTIONS` below `least`. */
export function atLeast(value: number, least: number, what: string): number {
  if (value >= least) return value;
  throw new CarillonError('E_OPTIONS', `${what} is ${String(value)}.`, { next: `Give at least ${String(least)}.` });
}

/** Throws `E_OPTIONS` for a field that nobody would read: a typing error from JavaScript, where no compiler helps. */
export function onlyKnown(options: object, known: readonly string[], what: string): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new CarillonError('E_OPTIONS', `${what} has no option ${JSON.stringify(unknown)}.`, {
    next: `It has ${known.join(', ')}.`,
  });
}

/** The instant of a Date that a caller gave; throws `E_OPTIONS` for an invalid one and for anything else. */
export function dateMs(date: unknown, what: string): Instant {
  const ms = types.isDate(date) ? date.getTime() : NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new CarillonError('E_OPTIONS', `${what} is no valid Date.`, { next: 'Give a valid Date, or leave it out.' });
}

/** Throws `E_OPTIONS` unless the value is missing or one of those allowed. */
export function oneOf(value: string | undefined, allowed: readonly string[], what: string): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new CarillonError('E_OPTIONS', `${what} is ${JSON.stringify(value)}.`, {
    next: `Use one of ${allowed.join(', ')}.`,
  });
}
