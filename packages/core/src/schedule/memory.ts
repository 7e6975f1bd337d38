// Memory: what a schedule remembers of its occurrences: counts of all, the latest one by one.

import type { Instant } from '../time/instant.js';
import { type Entry, KEPT, type MissReason, type Placed, type ScheduleBody, type Start } from './schedule.js';

/** The part of a schedule's body that remembers. */
type Memory = Pick<ScheduleBody, 'recent' | 'counts' | 'asked'>;

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

/** The schedule's memory with these occurrences and misses counted and remembered. */
export function noted(before: Memory, starts: readonly Start[], misses: readonly Miss[], now: Instant): Memory {
  const { recent = [], counts } = before;
  const missedOf = { ...counts.missed };
  const entries: (Entry | Placed)[] = [];
  for (const { reason, slot, to, count } of inRows(misses)) {
    missedOf[reason] = (missedOf[reason] ?? 0) + count;
    entries.push({ missed: reason, slot, at: now, ...(count > 1 && { to, count }) });
  }
  for (const { slot, origin, request } of starts) {
    if (origin === 'schedule') entries.push([slot, now - slot]);
    else entries.push({ slot, at: now, origin, ...(request !== undefined && { request }) });
  }
  const asked = (before.asked ?? 0) + starts.filter(({ request }) => request !== undefined).length;
  const { length } = entries;
  const kept = length >= KEPT.recent ? [] : recent.slice(-(KEPT.recent - length));
  return {
    recent: [...kept, ...entries.slice(-KEPT.recent)],
    counts: { started: counts.started + starts.length, missed: missedOf },
    ...(asked > 0 && { asked }),
  };
}

/** What is remembered, in one form. */
export function entriesOf({ recent = [] }: Pick<Memory, 'recent'>): readonly Entry[] {
  return recent.map((entry): Entry => {
    if ('slot' in entry) return entry;
    const [slot, afterMs] = entry;
    return { slot, at: slot + afterMs, origin: 'schedule' };
  });
}
