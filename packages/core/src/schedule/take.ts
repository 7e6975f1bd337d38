// Take: which slots of a rule have come, and what becomes of them.
//
// K1  Slots are taken oldest first, each once, and the next one follows from the last one taken: never from now (I7).
// K2  Whoever takes takes a bounded number, and knows whether there are more; then it is called again, from where it was.
// K3  A slot that the rule left out is told as well, once a slot after it is taken; a bounded number at a time.

import type { Rule } from '../rule/rule.js';
import type { Instant } from '../time/instant.js';
import { catchUp, IN_TIME_MS } from './catch-up.js';
import { missed, type Miss } from './memory.js';
import type { MissReason, ScheduleBody, Start } from './schedule.js';

/** How far a schedule has come in its rule. */
export interface Course {
  readonly next?: Instant | undefined;
  readonly takenTo: Instant;
  readonly toldTo?: Instant | undefined;
}

/** What was taken, and where the rule goes on. */
export interface Taken {
  readonly starts: readonly Start[];
  readonly misses: readonly Miss[];
  readonly course: Course;
  /** Whether there is more to take or to tell (K2). */
  readonly more: boolean;
}

/** The most slots that are taken at a time, and the most left out by the rule that are told at a time. */
const MOST_SLOTS = 10_000;
const MOST_EXCLUDED = 1_000;

/** Takes the slots that are due: they start, or are missed (by the catch-up policy, or because they passed in a pause). */
export function take(
  body: Pick<ScheduleBody, 'plan' | 'gap'> & Course,
  { now, rule, id }: { readonly now: Instant; readonly rule: Rule; readonly id: string },
): Taken {
  const { gap, plan } = body;
  const latenessMs = (slot: Instant): number => now - Math.max(0, rule.dueAt(slot, id));
  const { slots, next, more } = come(body, rule, (slot) => latenessMs(slot) >= 0);
  const free = gap === undefined ? 0 : slots.filter((slot) => slot <= gap.until).length;
  const passed = slots.slice(0, free).map((slot) => missed(slot, gap?.reason ?? 'paused'));
  const { run, tooLate, left } = catchUp(slots.slice(free), more, plan.catchUp, latenessMs);
  const late = tooLate.map((slot) => missed(slot, 'too-late'));
  const starts = run.map((slot): Start => ({
    slot,
    origin: latenessMs(slot) > IN_TIME_MS ? 'catch-up' : 'schedule',
  }));
  const takenTo = slots.at(-1 - left) ?? body.takenTo;
  const after = { next: left > 0 ? slots.at(-left) : next, takenTo };
  return told(body, after, rule, { starts, misses: [...passed, ...late], more });
}

/** Takes nothing. */
export function nothing({ next, takenTo, toldTo }: Course): Taken {
  return { starts: [], misses: [], course: { next, takenTo, toldTo }, more: false };
}

/** Takes the slots up to `now` without running any: they are missed for the reason that `why` gives. */
export function leave(body: Course, rule: Rule, now: Instant, why: (slot: Instant) => MissReason): Taken {
  const { slots, next, more } = come(body, rule, (slot) => slot <= now);
  const misses = slots.map((slot) => missed(slot, why(slot)));
  return told(body, { next, takenTo: slots.at(-1) ?? body.takenTo }, rule, { starts: [], misses, more });
}

/** The slots that have come, at most `MOST_SLOTS` (K1, K2). */
function come(
  { next: first }: Course,
  rule: Rule,
  has: (slot: Instant) => boolean,
): { slots: readonly Instant[]; next: Instant | undefined; more: boolean } {
  const slots: Instant[] = [];
  let next = first;
  while (next !== undefined && has(next) && slots.length < MOST_SLOTS) {
    slots.push(next);
    next = rule.next(next);
  }
  return { slots, next, more: next !== undefined && has(next) };
}

/** The same, with what the rule left out up to the last slot taken (K3). */
function told(
  { takenTo: before, toldTo = before }: Course,
  course: Omit<Course, 'toldTo'>,
  rule: Rule,
  taken: Omit<Taken, 'course'>,
): Taken {
  const { next, takenTo } = course;
  const { slots, to } = rule.excluded(toldTo, takenTo, MOST_EXCLUDED);
  const misses = slots.length === 0 ? taken.misses : taken.misses.concat(slots.map((slot) => missed(slot, 'excluded')));
  const behind = to < takenTo;
  return {
    starts: taken.starts,
    misses,
    course: { next, takenTo, toldTo: behind ? to : undefined },
    more: taken.more || behind,
  };
}
