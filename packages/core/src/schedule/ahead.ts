// Ahead: an occurrence that is placed shortly before its slot, so that at the slot only its start is left to do.
//
// P1  By that the slot is not taken: it stays the next one, and nothing is counted. It is taken when the schedule looks
//     again, shortly after it.
// P2  Whoever changes the schedule meanwhile takes it back in the same change, as long as nobody has begun it. What has
//     begun counts as taken. So an edit finds the schedule as if nothing had been placed ahead.
// P3  It is placed only where nothing but an edit could decide otherwise at the slot: nothing runs, waits or is asked for, and
//     no slot was left out before it, which would be told with it.
// P4  If nobody has begun it in time (everybody was away), its schedule decides anew, by the catch-up policy; it lets the
//     schedule go first (A8 of arrive.ts).

import { readJob } from '../job/job.js';
import { AHEAD_MS, STALE_MS, TAKE_MS } from '../job/ahead.js';
import type { LedgerRecord } from '../ports/ledger.js';
import type { Rule } from '../rule/rule.js';
import type { Instant } from '../time/instant.js';
import { noted } from './memory.js';
import { type Ahead, type Schedule, type Start, withBody } from './schedule.js';

/** What becomes of an occurrence that was placed ahead: it stays for now, its slot is taken, or it is taken back. */
export type Fate = 'stays' | 'taken' | 'back';

/** What a tick does about it at `now`; `record` is what stands for it. */
export function fateOf(schedule: Schedule, ahead: Ahead, record: LedgerRecord | undefined, now: Instant): Fate {
  if (hasBegun(ahead, record)) return 'taken';
  if (now > ahead.dueAt + STALE_MS) return 'back'; // P4
  if (now >= ahead.dueAt) return 'taken';
  const { requests, waiting } = schedule.body;
  return schedule.state !== 'active' || requests !== undefined || waiting !== undefined ? 'back' : 'stays'; // P2
}

/** What an edit does about it (P2). */
export function fateAtEdit(ahead: Ahead, record: LedgerRecord | undefined): Exclude<Fate, 'stays'> {
  return hasBegun(ahead, record) ? 'taken' : 'back';
}

/** The occurrence as its schedule decides about it. */
export function startOf({ slot }: Ahead): Start {
  return { slot, origin: 'schedule' };
}

/** The schedule with the slot taken: its occurrence is counted, and followed unless overlaps are allowed. */
export function takeAhead(schedule: Schedule, ahead: Ahead, rule: Rule, now: Instant): Schedule {
  const { body } = schedule;
  const start = startOf(ahead);
  const running = body.running ?? [];
  return withBody(schedule, {
    ahead: undefined,
    next: rule.next(ahead.slot),
    takenTo: ahead.slot,
    remaining: body.remaining === undefined ? undefined : body.remaining - 1,
    running: body.plan.overlap === 'allow' ? body.running : [...running, start],
    ...noted(body, [start], [], Math.min(now, ahead.dueAt)),
  });
}

/** The schedule as it would be had nothing been placed ahead. */
export function takeBack(schedule: Schedule): Schedule {
  return withBody(schedule, { ahead: undefined });
}

/** The occurrence that may be placed ahead by now (P3), if there is one. */
export function aheadOf({ state, body }: Schedule, rule: Rule, id: string, now: Instant): Ahead | undefined {
  const { next, ahead, plan, running, waiting, requests, gap, remaining, takenTo, toldTo } = body;
  if (state !== 'active' || next === undefined || ahead !== undefined || remaining === 0) return undefined;
  if (running !== undefined || waiting !== undefined || requests !== undefined || toldTo !== undefined)
    return undefined;
  if ((gap !== undefined && next <= gap.until) || plan.catchUp.windowMs < STALE_MS) return undefined;
  const dueAt = Math.max(0, rule.dueAt(next, id));
  if (dueAt <= now || dueAt > now + AHEAD_MS) return undefined;
  if (rule.excluded(takenTo, next, 1).slots.length > 0) return undefined;
  const after = rule.next(next);
  const crowded = after !== undefined && rule.dueAt(after, id) < dueAt + TAKE_MS; // it would be taken too late
  return crowded ? undefined : { slot: next, dueAt };
}

/** Whether somebody has begun it. Who claims it too late waits for its schedule (P4), and has not begun. */
function hasBegun({ dueAt }: Ahead, record: LedgerRecord | undefined): boolean {
  if (record === undefined || record.state !== 'scheduled') return true; // it has ended
  if (record.dueAt !== dueAt || record.interrupted.length > 0) return true; // it was attempted, or somebody has moved it
  const { starts = 0, interruptions = 0, wish } = readJob(record).body;
  if (starts + interruptions > 0 || wish !== undefined) return true;
  return record.lease !== undefined && record.lease.since <= dueAt + STALE_MS;
}
