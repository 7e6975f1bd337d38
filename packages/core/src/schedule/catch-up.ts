// Catch-up: which of the slots that are due run, and which are too late.
//
// C1  A slot that is further back than the window never runs, whatever the mode.
// C2  `skip` and `once` run at most the latest slot; `skip` only if it is not late to speak of: the sweep may have had to
//     heal its message.
// C3  `all` runs what is within the window, the newest up to the cap: of all that are due, also of those that were not
//     looked at yet. Those of which that can't be said yet are left for the next look.

import type { Instant } from '../time/instant.js';
import type { CatchUp } from './schedule.js';

/** How late a slot may be and still count as taken in time, in milliseconds. */
export const IN_TIME_MS = 60_000;

/** Due slots, parted. */
export interface CaughtUp {
  readonly run: readonly Instant[];
  readonly tooLate: readonly Instant[];
  /** How many of them, the newest, are left for the next look (C3). */
  readonly left: number;
}

/** Parts slots that are due, oldest first; `more` says that there are further ones after them. */
export function catchUp(
  slots: readonly Instant[],
  more: boolean,
  policy: CatchUp,
  latenessMs: (slot: Instant) => number,
): CaughtUp {
  const most = policy.mode === 'all' ? policy.most : 1;
  if (more) {
    const left = Math.min(most, slots.length); // C2, C3
    return { run: [], tooLate: slots.slice(0, slots.length - left), left };
  }
  const windowMs = policy.mode === 'skip' ? Math.min(policy.windowMs, IN_TIME_MS) : policy.windowMs;
  const inWindow = slots.findIndex((slot) => latenessMs(slot) <= windowMs); // C1
  const within = inWindow === -1 ? slots.length : inWindow;
  const first = Math.max(within, slots.length - most); // C2, C3
  return { run: slots.slice(first), tooLate: slots.slice(0, first), left: 0 };
}
