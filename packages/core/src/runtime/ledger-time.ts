// Ledger time: the ledger's clock, as this process can tell it without asking each time (I5).

import type { Ledger } from '../ports/ledger.js';
import type { Clock } from '../time/clock.js';
import type { Instant } from '../time/instant.js';

const SKEW_TO_REPORT_MS = 1_000;
const FRESH_MS = 30_000;
const SET_MS = 10; // a wall clock that has moved this far against the monotonic one has been set

/** The ledger's time, by this host's clock and the offset last measured. */
export class LedgerTime {
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #onSkew: (skewMs: number) => void;
  #offsetMs = 0;
  #measuredAt = -Infinity;
  #aheadOfMonotonicMs = 0;

  constructor(clock: Clock, ledger: Ledger, onSkew: (skewMs: number) => void) {
    this.#clock = clock;
    this.#ledger = ledger;
    this.#onSkew = onSkew;
  }

  /** The ledger's time now, as far as known. */
  now(): Instant {
    return this.#clock.now() + this.#offsetMs;
  }

  /** Milliseconds from now until the ledger's clock shows `instant`; 0 if it is past. */
  until(instant: Instant): number {
    return Math.max(0, instant - this.now());
  }

  /**
   * Measures the offset again, as if the ledger had looked at its clock when it was asked. So the estimate is late rather
   * than early: `in` never falls due before the caller's own delay has passed, and what would start too soon is refused
   * by the ledger itself.
   */
  async measure(): Promise<void> {
    const askedAt = this.#clock.now();
    this.#learn((await this.#ledger.now()) - askedAt);
  }

  /** Measures it again, unless that was done within half a minute and this host's clock has not been set since. */
  async refresh(): Promise<void> {
    const monotonic = this.#clock.monotonic();
    const movedMs = this.#clock.now() - monotonic - this.#aheadOfMonotonicMs;
    if (monotonic - this.#measuredAt >= FRESH_MS || Math.abs(movedMs) >= SET_MS) await this.measure();
  }

  /** Takes over what the ledger has just said of its clock. */
  hear(now: Instant): void {
    this.#learn(now - this.#clock.now());
  }

  #learn(exactMs: number): void {
    const offsetMs = Math.round(exactMs);
    this.#measuredAt = this.#clock.monotonic();
    this.#aheadOfMonotonicMs = this.#clock.now() - this.#measuredAt;
    this.#offsetMs = Math.abs(offsetMs) <= 1 ? 0 : offsetMs;
    if (Math.abs(this.#offsetMs) >= SKEW_TO_REPORT_MS) this.#onSkew(this.#offsetMs);
  }
}
