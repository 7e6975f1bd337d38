// Backoff: how long to wait after a failure before the next attempt.
//
// B1  Every answer is a whole number of milliseconds from 0 to the cap, for any number of failures.
// B2  Jitter only shortens a delay, so the cap holds with it too.

import { CarillonError } from '../errors.js';
import { shown } from '../time/shown.js';
import type { Random } from '../time/clock.js';
import { type Duration, durationMs, LONGEST_DURATION_MS } from '../time/duration.js';

/** A backoff as data, which a record can keep. `jitter` is the share of each delay that is random, 0 to 1, default 0.1. */
export type BackoffData =
  /** `from`, then `factor` times as long after each further failure, up to `to`: by default 1s, 2s, 4s, … 1h. */
  | {
      readonly type: 'exponential';
      /** Default `'1s'`. */
      readonly from?: Duration | undefined;
      /** 1 or more; default 2. */
      readonly factor?: number | undefined;
      /** Default `'1h'`, or `from` if that is longer. */
      readonly to?: Duration | undefined;
      readonly jitter?: number | undefined;
    }
  /** `step`, then one `step` longer after each further failure, up to `to` (default: 100 years). */
  | {
      readonly type: 'linear';
      readonly step: Duration;
      readonly to?: Duration | undefined;
      readonly jitter?: number | undefined;
    }
  /** The same delay after each failure. */
  | { readonly type: 'fixed'; readonly delay: Duration; readonly jitter?: number | undefined };

/** A backoff as data, or a function from the number of failures so far (1 after the first) to the delay. */
export type Backoff = BackoffData | ((failure: number) => Duration);

const HOUR_MS = 3_600_000;

const FIELDS: Readonly<Record<BackoffData['type'], readonly string[]>> = {
  exponential: ['type', 'from', 'factor', 'to', 'jitter'],
  linear: ['type', 'step', 'to', 'jitter'],
  fixed: ['type', 'delay', 'jitter'],
};

/** Throws `E_OPTIONS` or `E_DURATION` unless the backoff is sound; `what` names the option. Functions are not called. */
export function checkBackoff(backoff: Backoff, what: string): void {
  if (typeof backoff === 'function') return;
  const fields =
    typeof backoff === 'object' && backoff !== null && Object.hasOwn(FIELDS, backoff.type) && FIELDS[backoff.type];
  if (!fields) {
    throw new CarillonError('E_OPTIONS', `${what} is not a backoff: ${shown(backoff)}.`, {
      next: "Write { type: 'exponential' }, { type: 'linear', step: '10s' }, { type: 'fixed', delay: '10s' } or a function.",
    });
  }
  const unknown = Object.keys(backoff).find((field) => !fields.includes(field));
  if (unknown !== undefined) {
    throw new CarillonError('E_OPTIONS', `${what} has a field that '${backoff.type}' does not know: ${unknown}.`, {
      next: `Use ${fields.join(', ')}.`,
    });
  }
  longestMs(backoff, 1, what);
  if (backoff.type === 'exponential') checkNumber(backoff.factor ?? 2, 1, Number.MAX_VALUE, `${what}.factor`);
  checkNumber(backoff.jitter ?? 0, 0, 1, `${what}.jitter`);
}

/**
 * How long to wait, in milliseconds, after the `failure`th failure (from 1), jitter included. Throws `E_DURATION` if a
 * function answers with something that is no duration; what the function throws, it throws.
 */
export function backoffMs(backoff: Backoff, failure: number, random: Random): number {
  if (typeof backoff === 'function') {
    const name = backoff.name === '' ? '' : ` '${backoff.name}'`;
    return durationMs(backoff(failure), `The answer of the backoff function${name} to failure ${failure}`);
  }
  const share = (backoff.jitter ?? 0.1) * random.next();
  return Math.round(longestMs(backoff, failure, 'backoff') * (1 - share)); // B2
}

/** The delay with no jitter taken off. */
function longestMs(backoff: BackoffData, failure: number, what: string): number {
  if (backoff.type === 'fixed') return durationMs(backoff.delay, `${what}.delay`);
  if (backoff.type === 'linear') {
    const to = backoff.to === undefined ? LONGEST_DURATION_MS : durationMs(backoff.to, `${what}.to`);
    return Math.min(to, durationMs(backoff.step, `${what}.step`) * failure);
  }
  const from = durationMs(backoff.from ?? '1s', `${what}.from`);
  const to = backoff.to === undefined ? Math.max(from, HOUR_MS) : durationMs(backoff.to, `${what}.to`);
  return from === 0 ? 0 : Math.min(to, from * (backoff.factor ?? 2) ** (failure - 1)); // 0 × Infinity is NaN (B1)
}

function checkNumber(value: number, min: number, max: number, what: string): void {
  if (typeof value === 'number' && value >= min && value <= max) return;
  throw new CarillonError('E_OPTIONS', `${what} is out of range: ${shown(value)}.`, {
    next: max === Number.MAX_VALUE ? `Write a number of at least ${min}.` : `Write a number from ${min} to ${max}.`,
  });
}
