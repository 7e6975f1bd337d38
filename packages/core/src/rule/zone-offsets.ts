// ZoneOffsets: a zone's clock as stretches of one offset each, so that slots cost arithmetic and not a question to Intl.
//
// O1  Changes fall on whole seconds. A zone that leaves an offset stays away for a fortnight at least: a shorter stay would
//     go unseen. The last that were shorter were in Brazil in 2000 and in Argentina in 2004.
// O2  What is remembered is bounded: a zone has one memory, whatever the case of its name, and that has a cap.

import type { Instant } from '../time/instant.js';
import { offsetIn } from '../time/zone.js';

/** A stretch of time with one offset from UTC. It may end where the next has the same offset. */
export interface Stretch {
  readonly startMs: Instant;
  /** The first instant after it. */
  readonly endMs: Instant;
  readonly offsetMs: number;
  /**
   * How far the wall clock had come before `startMs`: further than it shows there if it was put back, less far if it was
   * put forward.
   */
  readonly reachedMs: number;
}

const SECOND_MS = 1_000;
const FORTNIGHT_MS = 14 * 86_400_000;
const BLOCK_MS = 2 * FORTNIGHT_MS; // short, so that a rare date in a year not yet seen costs few questions

const MOST_BLOCKS = 500; // 38 years

const zones = new Map<string, ZoneOffsets>();

/** The offsets of a zone, shared by all rules in it. Throws `E_ZONE` for a zone unknown here. */
export function offsetsOf(timezone: string): ZoneOffsets {
  const name = timezone.toLowerCase(); // O2
  let known = zones.get(name);
  if (known === undefined) {
    known = new ZoneOffsets(/^(etc\/)?(utc|gmt)$/.test(name) ? () => 0 : offsetIn(name));
    zones.set(name, known);
  }
  return known;
}

class ZoneOffsets {
  readonly #offset: (at: Instant) => number;
  readonly #blocks = new Map<number, readonly Stretch[]>();
  #last: Stretch | undefined;

  constructor(offset: (at: Instant) => number) {
    this.#offset = offset;
  }

  /** The stretch in which the instant lies. */
  at(instant: Instant): Stretch {
    const last = this.#last;
    if (last !== undefined && last.startMs <= instant && instant < last.endMs) return last;
    const block = Math.floor(instant / BLOCK_MS);
    let stretches = this.#blocks.get(block);
    if (stretches === undefined) {
      stretches = this.#read(block * BLOCK_MS);
      const [oldest] = this.#blocks.keys();
      if (this.#blocks.size >= MOST_BLOCKS && oldest !== undefined) this.#blocks.delete(oldest); // O2
      this.#blocks.set(block, stretches);
    }
    return (this.#last = stretches.find(({ endMs }) => instant < endMs)!);
  }

  /** The stretches of a block, from a fortnight before it, so that a clock that was put back just before it is known. */
  #read(blockMs: Instant): readonly Stretch[] {
    const stretches: Stretch[] = [];
    const blockEndMs = blockMs + BLOCK_MS;
    let startMs = blockMs - FORTNIGHT_MS;
    let offsetMs = this.#offset(startMs);
    let reachedMs = startMs + offsetMs;
    const close = (endMs: Instant): void => {
      const from = Math.max(startMs, blockMs);
      if (endMs > from) {
        const reached = Math.max(reachedMs, from > startMs ? from + offsetMs : reachedMs);
        stretches.push({ startMs: from, endMs, offsetMs, reachedMs: reached });
      }
      reachedMs = Math.max(reachedMs, endMs + offsetMs);
    };
    for (let before = startMs; before < blockEndMs; before += FORTNIGHT_MS) {
      const after = Math.min(before + FORTNIGHT_MS, blockEndMs);
      while (this.#offset(after) !== offsetMs) {
        const changeMs = this.#change(Math.max(startMs, before), after, offsetMs);
        close(changeMs);
        startMs = changeMs;
        offsetMs = this.#offset(changeMs);
      }
    }
    close(blockEndMs);
    return stretches;
  }

  /** The first instant after `before`, at the latest `after`, with another offset. */
  #change(before: Instant, after: Instant, offsetMs: number): Instant {
    while (after - before > SECOND_MS) {
      const middle = before + Math.floor((after - before) / 2 / SECOND_MS) * SECOND_MS;
      if (this.#offset(middle) === offsetMs) before = middle;
      else after = middle;
    }
    return after;
  }
}
export type { ZoneOffsets };
