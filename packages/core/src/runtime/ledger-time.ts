// Ledger time: the ledger's clock, as this process can tell it without asking each time (I5).
//
// J1  The ledger looks at its clock between question and answer, which bounds how far apart the clocks are. The estimate moves
//     no further than to the nearest bound, so one slow answer spoils nothing that a fast one has told.
// J2  It starts at the bound that makes it late rather than early: `in` never falls due before the caller's own delay has
//     passed, and what would start too soon is refused by the ledger itself.
// J3  An estimate is kept fresh as long as it is used: by the sweep, and by the calls of a process that only schedules.

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
  #exactMs = Infinity; // J2
  #offsetMs = 0;
  #measuredAt = -Infinity;
  #aheadOfMonotonicMs = 0;
  #keeping = false;

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

  /** What this host's clock shows: to be noted when the ledger is asked for something that `hear` shall learn from. */
  asking(): Instant {
    return this.#clock.now();
  }

  /** Measures the offset again. */
  async measure(): Promise<void> {
    const askedAt = this.asking();
    this.hear(await this.#ledger.now(), askedAt);
  }

  /** Measures it again, unless that was done within half a minute and this host's clock has not been set since. */
  async refresh(): Promise<void> {
    if (this.#isStale) await this.measure();
  }

  /** Refreshes it in the background: who asks does not wait, and asks again if the ledger did not answer (J3). */
  keep(): void {
    if (this.#keeping || !this.#isStale) return;
    this.#keeping = true;
    const end = (): void => void (this.#keeping = false);
    this.measure().then(end, end); // who needs the ledger tells that it does not answer
  }

  get #isStale(): boolean {
    const monotonic = this.#clock.monotonic();
    const movedMs = this.#clock.now() - monotonic - this.#aheadOfMonotonicMs;
    return monotonic - this.#measuredAt >= FRESH_MS || Math.abs(movedMs) >= SET_MS;
  }

  /** Learns from what the ledger has just said of its clock, when it was asked while this host's showed `askedAt`. */
  hear(now: Instant, askedAt: Instant): void {
    this.#measuredAt = this.#clock.monotonic();
    this.#aheadOfMonotonicMs = this.#clock.now() - this.#measuredAt;
    this.#exactMs = Math.min(Math.max(this.#exactMs, now - this.#clock.now()), now - askedAt); // J1
    const offsetMs = Math.round(this.#exactMs);
    this.#offsetMs = Math.abs(offsetMs) <= 1 ? 0 : offsetMs;
    if (Math.abs(this.#offsetMs) >= SKEW_TO_REPORT_MS) this.#onSkew(this.#offsetMs);
  }
}
