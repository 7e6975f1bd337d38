// Rulings: what a handler can say about its own future, by returning or throwing one.

import { durationMs, type Duration } from '../time/duration.js';

/** A handler's word on what should happen next; made by `retryAfter`, `snooze` and `giveUp`. */
export class Ruling {
  private constructor(
    readonly verdict: 'retry' | 'snooze' | 'dead',
    readonly afterMs: number,
    readonly reason: string | undefined,
  ) {}

  /** @internal */
  static of(verdict: Ruling['verdict'], afterMs: number, reason?: string): Ruling {
    return new Ruling(verdict, afterMs, reason);
  }
}

/** Counts as a failure and asks for the next attempt after `delay` instead of the backoff's. */
export function retryAfter(delay: Duration, reason?: string): Ruling {
  return Ruling.of('retry', durationMs(delay, 'retryAfter'), reason);
}

/** Runs the job again after `delay` without counting this attempt as a failure. */
export function snooze(delay: Duration, reason?: string): Ruling {
  return Ruling.of('snooze', durationMs(delay, 'snooze'), reason);
}

/** Sets the job aside at once, as dead, with this reason: no further attempt. */
export function giveUp(reason: string): Ruling {
  return Ruling.of('dead', 0, reason);
}
