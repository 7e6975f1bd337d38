// Plans: the schedules that chaos befalls, of every policy, and the slots that their rules have by plain arithmetic.

import type { ScheduleSpec } from '@carillon/core';
import type { Policy } from './tasks.js';

/** One schedule. */
export interface Plan {
  readonly id: string;
  readonly policy: Policy;
  /** How long each of its occurrences takes. */
  readonly workMs: number;
  readonly spec: ScheduleSpec;
  /** Every slot of its rule, those that the rule excludes too, up to the last that it does not. */
  readonly slots: readonly number[];
}

/** When the schedules begin and end, in epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const OVERLAPS = ['skip', 'buffer-one', 'buffer-all', 'cancel-other', 'terminate-other', 'allow'] as const;
const PERIODS = [2, 3, 5, 10, 15] as const;
const CATCH_UPS = [{ within: '5m' }, { mode: 'once', within: '5m' }, 'all', 'skip'] as const;
const QUICK_MS = 100;
const EXCLUDED_SECOND = 30;

/** So many schedules, no two policies always together. */
export function plansOf(count: number, span: Span): readonly Plan[] {
  return Array.from({ length: count }, (_, index): Plan => {
    const pick = <T>(from: readonly T[], stride: number): T => from[Math.floor(index / stride) % from.length]!;
    const overlap = pick(OVERLAPS, 1);
    const seconds = pick(PERIODS, 1);
    const slow = index % 4 === 0 && overlap !== 'buffer-all'; // else what waits would outlive the test
    const policy = index % 7 === 6 ? 'never-again' : 'retry';
    const skips = index % 8 === 5;
    const everyMs = seconds * 1000;
    const slots = multiples(everyMs, span);
    if (skips && isExcluded(slots.at(-1) ?? 0)) slots.pop(); // a schedule ends with its last slot
    return {
      id: `chaos-${index}`,
      policy,
      workMs: slow ? everyMs * 1.3 : QUICK_MS,
      spec: {
        ...(index % 2 === 0 ? { every: { seconds } } : { cron: `*/${seconds} * * * * *` }),
        ...(skips && { skip: { cron: `${EXCLUDED_SECOND} * * * * *` } }),
        ...(index % 3 === 1 && { jitter: '500ms' }),
        overlap,
        catchUp: pick(CATCH_UPS, 3),
        startAt: new Date(span.from),
        endAt: new Date(span.to),
      },
      slots,
    };
  });
}

function isExcluded(slot: number): boolean {
  return slot % 60_000 === EXCLUDED_SECOND * 1000;
}

function multiples(everyMs: number, { from, to }: Span): number[] {
  const first = Math.ceil(from / everyMs);
  return Array.from({ length: Math.floor(to / everyMs) - first + 1 }, (_, index) => (first + index) * everyMs);
}
