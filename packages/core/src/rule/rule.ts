// Rule: a spec, read and checked once, that answers which slot comes next.
//
// R1  `next` answers a slot strictly later than it is asked for, or `undefined`: never an earlier one, never the same.
// R2  A rule is a pure function of its spec and of this host's time zone data.

import { CarillonError } from '../errors.js';
import { durationMs } from '../time/duration.js';
import type { Instant } from '../time/instant.js';
import type { RuleSpec } from './spec.js';

/** When a schedule's slots are. A slot is the instant of an occurrence before jitter and spread; it identifies it. */
export interface Rule {
  /** The first slot strictly later than `afterMs`; `undefined` if there is none. */
  next(afterMs: Instant): Instant | undefined;
  /** At most `most` of the slots in (`afterMs`, `untilMs`] that `skip` or `holidays` took out, earliest first. */
  excluded(afterMs: Instant, untilMs: Instant, most: number): readonly Instant[];
  /** When the slot's occurrence is due: the slot, plus spread and jitter. It never changes and never reorders slots. */
  dueAt(slotMs: Instant, scheduleId: string): Instant;
  /** The spec as plain JSON with every default filled in: what a record keeps, and what `parseRule` reads back. */
  readonly canonical: RuleSpec;
  /** Equal for equal specs, different for different ones, and the same on every host. */
  readonly digest: string;
}

/** Reads a rule. `where` names it in errors: `schedule daily-report`. Throws `E_RULE`, `E_DURATION`, `E_DUE` or `E_ZONE`. */
export function parseRule(spec: RuleSpec, where: string): Rule {
  if (spec.every === undefined) {
    throw new CarillonError('E_RULE', `The rule of ${where} has no times.`, { next: "Give every: '15m'." });
  }
  const everyMs = durationMs(spec.every, `every of ${where}`);
  const offsetMs = durationMs(spec.offset ?? '0s', `offset of ${where}`);
  return {
    next: (afterMs) => (Math.floor((afterMs - offsetMs) / everyMs) + 1) * everyMs + offsetMs,
    excluded: () => [],
    dueAt: (slotMs) => slotMs,
    canonical: spec,
    digest: `every ${everyMs} offset ${offsetMs}`,
  };
}
