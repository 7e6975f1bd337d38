// WallSlots: the slots of a wall pattern in a zone. All that clock changes do to a rule is decided here, by one number:
// from which wall time on a stretch of one offset counts (`#from`).
//
// C1  'once', a rule that names hours: each matching wall time has one slot, the first instant at which the wall clock
//     has reached it. So in a gap it is the first instant after it, and of two passes the first.
// C2  'once', a rule whose hour is `*`: its slots follow the hours that pass, also when the clock shows them twice. An
//     hour that the clock skips has none; of an hour that it skips in part, the rest begins with what was due in that part.
// C3  'literal': a slot is where the clock shows a matching wall time: none in a gap, two in an overlap.

import type { Instant } from '../time/instant.js';
import type { Dst } from './spec.js';
import type { WallPattern } from './wall-pattern.js';
import type { Stretch, ZoneOffsets } from './zone-offsets.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The slots of a pattern in a zone. */
export class WallSlots {
  readonly #pattern: WallPattern;
  readonly #zone: ZoneOffsets;
  readonly #dst: Dst;

  constructor(pattern: WallPattern, zone: ZoneOffsets, dst: Dst) {
    this.#pattern = pattern;
    this.#zone = zone;
    this.#dst = dst;
  }

  /** The first slot strictly later than `afterMs`. */
  next(afterMs: Instant): Instant | undefined {
    let stretch = this.#zone.at(afterMs);
    let fromMs = Math.max(this.#from(stretch), afterMs + stretch.offsetMs + 1);
    let wallMs = this.#pattern.atOrAfter(fromMs);
    while (wallMs !== undefined) {
      const slotMs = Math.max(stretch.startMs, wallMs - stretch.offsetMs);
      if (slotMs < stretch.endMs) return slotMs;
      // Nothing matches from fromMs to wallMs, so it may leap; but not over a clock put back to where the question was.
      const leapMs = stretch.endMs > afterMs + DAY_MS ? wallMs - DAY_MS : stretch.endMs;
      stretch = this.#zone.at(Math.max(stretch.endMs, leapMs));
      const resumedMs = this.#from(stretch);
      if (resumedMs < fromMs || resumedMs > wallMs) wallMs = this.#pattern.atOrAfter(resumedMs);
      fromMs = resumedMs;
    }
    return undefined;
  }

  /** From which wall time on the stretch counts; what is earlier than it shows at its start, it has at its start. */
  #from({ startMs, offsetMs, reachedMs }: Stretch): number {
    const shownMs = startMs + offsetMs;
    if (this.#dst === 'literal') return shownMs; // C3
    if (!this.#pattern.hourly) return reachedMs; // C1
    return Math.min(shownMs, Math.max(reachedMs, Math.floor(shownMs / HOUR_MS) * HOUR_MS)); // C2
  }
}
