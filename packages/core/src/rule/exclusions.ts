// Exclusions: which slots `skip` and `holidays` take out, and how far to leap.
//
// X1  A slot is out if the wall clock at the slot matches: a skipped cron of five fields means whole minutes, a skipped
//     calendar whatever its fields leave open, a holiday the whole day in the rule's zone.

import type { Instant } from '../time/instant.js';
import { checkedDay } from './ics.js';
import type { Interval } from './interval.js';
import type { WallPattern } from './wall-pattern.js';
import type { ZoneOffsets } from './zone-offsets.js';

const DAY_MS = 86_400_000;

/** What is left out of a rule. */
export class Exclusions {
  readonly #patterns: readonly WallPattern[];
  readonly #intervals: readonly Interval[];
  readonly #holidays: ReadonlySet<number>;
  readonly #zone: ZoneOffsets;

  constructor(
    patterns: readonly WallPattern[],
    intervals: readonly Interval[],
    holidays: readonly string[],
    zone: ZoneOffsets,
  ) {
    this.#patterns = patterns;
    this.#intervals = intervals;
    this.#holidays = new Set(holidays.map((date) => checkedDay(date)! / DAY_MS));
    this.#zone = zone;
  }

  /** Whether nothing is left out. */
  get areNone(): boolean {
    return this.#patterns.length === 0 && this.#intervals.length === 0 && this.#holidays.size === 0;
  }

  /** If the slot is out, the last instant of a stretch from it on that is out altogether; else `undefined`. */
  until(slotMs: Instant): Instant | undefined {
    if (this.#intervals.some((interval) => interval.next(slotMs - 1) === slotMs)) return slotMs;
    if (this.#patterns.length === 0 && this.#holidays.size === 0) return undefined;
    const stretch = this.#zone.at(slotMs);
    const wallMs = slotMs + stretch.offsetMs;
    const day = Math.floor(wallMs / DAY_MS);
    let endMs = this.#holidays.has(day) ? (day + 1) * DAY_MS : undefined;
    for (const pattern of this.#patterns) endMs ??= pattern.endOfMatch(wallMs);
    return endMs === undefined ? undefined : Math.min(endMs - stretch.offsetMs, stretch.endMs) - 1;
  }
}
