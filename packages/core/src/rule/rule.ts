// Rule: a spec, read and checked once, that answers which slot comes next.
//
// R1  `next` answers a slot strictly later than it is asked for, or `undefined`: never an earlier one, never the same.
// R2  A rule is a pure function of its spec and of this host's time zone data.
// R3  Whatever the spec, reading it and each answer take bounded time. `next` gives up once 20,000 leaps over what is left
//     out have brought nothing, or 400 years, after which the calendar repeats itself. A rule that has no slot at all is
//     refused when it is read.
// R4  Due times are never before their slots and in their order: jitter stays below the way to the next slot, and spread
//     is one shift for all slots of a schedule.

import type { Instant } from '../time/instant.js';
import { canonicalOf, type Canonical } from './canonical.js';
import { digestOf, fractionOf } from './digest.js';
import { Exclusions } from './exclusions.js';
import { refusal } from './refusal.js';
import type { RuleSpec } from './spec.js';
import { patternsOf } from './times.js';
import { WallSlots } from './wall-slots.js';
import { offsetsOf } from './zone-offsets.js';

/** When a schedule's slots are. A slot is the instant of an occurrence before jitter and spread; it identifies it. */
export interface Rule {
  /** The first slot strictly later than `afterMs`; `undefined` if there is none. */
  next(afterMs: Instant): Instant | undefined;
  /** The slots in (`afterMs`, `untilMs`] that `skip` or `holidays` took out, earliest first: at most `most`, and then only
   *  those up to `to`. */
  excluded(afterMs: Instant, untilMs: Instant, most: number): { slots: readonly Instant[]; to: Instant };
  /** When the slot's occurrence is due: the slot, plus spread and jitter. It never changes and never reorders slots. */
  dueAt(slotMs: Instant, scheduleId: string): Instant;
  /** The spec as plain JSON in its one spelling: what a record keeps, and what `parseRule` reads back. */
  readonly spec: RuleSpec;
  /** Equal for equal specs, different for different ones, and the same on every host. */
  readonly digest: string;
}

const MOST_LEAPS = 20_000;
const CYCLE_MS = 146_097 * 86_400_000; // 400 years
const LAST_SLOT_MS: Instant = Date.UTC(9999, 11, 30);

/** Reads a rule. `where` names it in errors: `schedule daily-report`; `beside`, what may be given beside it. Throws `E_RULE`,
 *  `E_DURATION` or `E_ZONE`. */
export function parseRule(spec: RuleSpec, where: string, beside?: readonly string[]): Rule {
  const rule = new ReadRule(canonicalOf(spec, where, beside), where);
  if (rule.next(-1) !== undefined) return rule;
  throw refusal(`${where} never has a slot.`, 'See what startAt, endAt, skip and holidays leave of its times.');
}

class ReadRule implements Rule {
  readonly spec: RuleSpec;
  readonly digest: string;
  readonly #sources: readonly { next(afterMs: Instant): Instant | undefined }[];
  readonly #exclusions: Exclusions;
  readonly #bounds: Pick<Canonical, 'startMs' | 'endMs' | 'jitterMs' | 'spreadMs'>;

  constructor(canonical: Canonical, where: string) {
    const { times, skip, holidays, timezone, dst } = canonical;
    this.spec = canonical.spec;
    this.digest = digestOf(JSON.stringify({ ...canonical.spec, timezone: timezone.toLowerCase() })); // case does not count
    this.#bounds = canonical;
    const zone = offsetsOf(timezone);
    this.#sources = [
      ...patternsOf(times, where).map((pattern) => new WallSlots(pattern, zone, dst)),
      ...times.intervals,
    ];
    this.#exclusions = new Exclusions(patternsOf(skip, `skip of ${where}`, true), skip.intervals, holidays, zone);
  }

  next(afterMs: Instant): Instant | undefined {
    let from = afterMs;
    let giveUpMs = Infinity;
    for (let leaps = 0; leaps < MOST_LEAPS; leaps += 1) {
      const slot = this.#candidate(from);
      if (slot === undefined || slot > giveUpMs) return undefined;
      if (leaps === 0) giveUpMs = slot + CYCLE_MS;
      const outUntil = this.#exclusions.until(slot);
      if (outUntil === undefined) return slot;
      from = outUntil;
    }
    return undefined;
  }

  excluded(afterMs: Instant, untilMs: Instant, most: number): { slots: readonly Instant[]; to: Instant } {
    const slots: Instant[] = [];
    if (this.#exclusions.areNone) return { slots, to: untilMs };
    let from = afterMs;
    for (let leaps = 0; slots.length < most && leaps < MOST_LEAPS; leaps += 1) {
      const slot = this.#candidate(from);
      if (slot === undefined || slot > untilMs) return { slots, to: untilMs };
      if (this.#exclusions.until(slot) !== undefined) slots.push(slot);
      from = slot;
    }
    return { slots, to: from };
  }

  dueAt(slotMs: Instant, scheduleId: string): Instant {
    const { jitterMs, spreadMs } = this.#bounds;
    let dueMs = slotMs;
    if (spreadMs > 0) dueMs += Math.floor(fractionOf(`spread ${scheduleId}`) * spreadMs);
    if (jitterMs > 0) {
      const gapMs = (this.next(slotMs) ?? Infinity) - slotMs;
      dueMs += Math.floor(fractionOf(`jitter ${slotMs} ${scheduleId}`) * Math.min(jitterMs, gapMs));
    }
    return dueMs;
  }

  /** The first slot later than `afterMs` within bounds, whatever is left out. */
  #candidate(afterMs: Instant): Instant | undefined {
    const { startMs, endMs } = this.#bounds;
    const from = Math.max(Math.floor(afterMs), startMs - 1, -1); // before 1970 clocks followed the sun, to the second
    if (from >= LAST_SLOT_MS) return undefined;
    let earliest = Infinity;
    for (const source of this.#sources) earliest = Math.min(earliest, source.next(from) ?? Infinity);
    return earliest > endMs || earliest > LAST_SLOT_MS || earliest <= from ? undefined : earliest;
  }
}
