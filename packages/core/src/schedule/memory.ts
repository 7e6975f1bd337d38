// Memory: what a schedule remembers of its occurrences: counts of all, the latest one by one.

import type { Instant } from '../time/instant.js';
import { type Entry, KEPT, type MissReason, type Placed, type Schedule, type Start, withBody } from './schedule.js';

/** Slots in a row that were missed for the same reason. */
export interface Miss {
  readonly reason: MissReason;
  readonly slot: Instant;
  readonly to: Instant;
  readonly count: number;
}

/** One slot that was missed. */
export function missed(slot: Instant, reason: MissReason): Miss {
  return { reason, slot, to: slot, count: 1 };
}

/** Misses in the order of their slots, those in a row with one reason taken together. */
export function inRows(misses: readonly Miss[]): readonly Miss[] {
  const rows: Miss[] = [];
  for (const miss of misses.toSorted((a, b) => a.slot - b.slot)) {
    const last = rows.at(-1);
    if (last?.reason !== miss.reason) rows.push(miss);
    else rows[rows.length - 1] = { ...last, to: miss.to, count: last.count + miss.count };
  }
  return rows;
}

/** The schedule with these misses counted and remembered. */
export function noteMisses(schedule: Schedule, misses: readonly Miss[], now: Instant): Schedule {
  if (misses.length === 0) return schedule;
  const { counts } = schedule.body;
  const totals = { ...counts.missed };
  const rows = inRows(misses);
  for (const { reason, count } of rows) totals[reason] = (totals[reason] ?? 0) + count;
  const entries = rows.map(({ reason, slot, to, count }): Entry => {
    return { missed: reason, slot, at: now, ...(count > 1 && { to, count }) };
  });
  const recent = remembered(schedule, entries);
  return withBody(schedule, { recent, counts: { ...counts, missed: totals } });
}

/** The schedule with occurrences counted and remembered that were placed. */
export function noteStarts(schedule: Schedule, starts: readonly Start[], now: Instant): Schedule {
  if (starts.length === 0) return schedule;
  const { counts, asked = 0 } = schedule.body;
  const requested = starts.filter(({ request }) => request !== undefined).length;
  const entries = starts.map(({ slot, origin, request }): Entry | Placed => {
    if (origin === 'schedule') return [slot, now - slot];
    return { slot, at: now, origin, ...(request !== undefined && { request }) };
  });
  const recent = remembered(schedule, entries);
  return withBody(schedule, {
    recent,
    counts: { ...counts, started: counts.started + starts.length },
    ...(requested > 0 && { asked: asked + requested }),
  });
}

/** What a schedule remembers, in one form. */
export function entriesOf({ body }: Schedule): readonly Entry[] {
  return (body.recent ?? []).map((entry): Entry => {
    if ('slot' in entry) return entry;
    const [slot, afterMs] = entry;
    return { slot, at: slot + afterMs, origin: 'schedule' };
  });
}

function remembered({ body }: Schedule, entries: readonly (Entry | Placed)[]): readonly (Entry | Placed)[] {
  return [...(body.recent ?? []), ...entries].slice(-KEPT.recent);
}
