// Interval: slots at whole multiples of a length since 1970, shifted. No zone and no run moves them.

import type { Instant } from '../time/instant.js';

/** Slots at `everyMs * n + offsetMs`. */
export class Interval {
  readonly everyMs: number;
  readonly offsetMs: number;

  constructor(everyMs: number, offsetMs: number) {
    this.everyMs = everyMs;
    this.offsetMs = offsetMs;
  }

  /** The first slot strictly later than `afterMs`. */
  next(afterMs: Instant): Instant {
    return (Math.floor((afterMs - this.offsetMs) / this.everyMs) + 1) * this.everyMs + this.offsetMs;
  }
}
