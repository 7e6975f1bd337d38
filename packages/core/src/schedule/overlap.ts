// Overlap: which of the occurrences that want to start may, while earlier ones have not ended.
//
// L1  An occurrence that meets nothing running starts, whatever its policy.
// L2  The policy counts when it is decided, so an edit also concerns what waits already.
// L3  `allow` starts at once and is not followed: it makes nobody wait, and nobody waits for it.

import type { Overlap } from '../task/recurring.js';
import { KEPT, type MissReason, type Start } from './schedule.js';

/** What is decided about the occurrences that want to start. */
export interface OverlapDecision {
  /** To start now; those of `allow` are not followed. */
  readonly starts: readonly { readonly start: Start; readonly followed: boolean }[];
  /** To be decided again when what runs has ended, in this order. */
  readonly waiting: readonly Start[];
  readonly dropped: readonly { readonly start: Start; readonly reason: MissReason }[];
  /** What is to happen to what runs: it is asked to stop and waited for, or it is ended at once and counts as ended. */
  readonly stop: 'ask' | 'end' | undefined;
}

/** Whether earlier occurrences have ended; those that are only waiting for an attempt can be cancelled at once. */
export type Running = 'nothing' | 'idle' | 'busy';

/** The most that start together; more of `allow` wait for the next decision. */
const MOST_TOGETHER = 100;

/** Decides about occurrences that want to start, oldest first. */
export function decideOverlap(wanting: readonly Start[], running: Running, otherwise: Overlap): OverlapDecision {
  const together: Start[] = [];
  const dropped: { start: Start; reason: MissReason }[] = [];
  let waiting: Start[] = [];
  let chosen: Start | undefined;
  let stop: OverlapDecision['stop'];
  const drop = (start: Start, reason: MissReason): void => void dropped.push({ start, reason });

  for (const start of wanting) {
    const overlap = start.overlap ?? otherwise; // L2
    if (overlap === 'allow') {
      if (together.length < MOST_TOGETHER) together.push(start);
      else waiting.push(start);
    } else if (running === 'nothing' && chosen === undefined) {
      chosen = start; // L1
    } else if (overlap === 'skip' || (overlap === 'buffer-one' && waiting.length > 0)) {
      drop(start, 'overlap');
    } else if (overlap === 'buffer-one' || overlap === 'buffer-all') {
      if (waiting.length < KEPT.waiting) waiting.push(start);
      else drop(start, 'overlap');
    } else if (running === 'busy' && overlap === 'cancel-other' && chosen === undefined) {
      for (const replaced of waiting) drop(replaced, 'superseded');
      waiting = [start];
      stop = 'ask';
    } else {
      // What has not begun is replaced, what runs is ended, and nothing is left to wait for.
      for (const replaced of [...(chosen === undefined ? [] : [chosen]), ...waiting]) drop(replaced, 'superseded');
      waiting = [];
      chosen = start;
      if (running !== 'nothing') stop = 'end';
    }
  }
  const starts = together.map((start) => ({ start, followed: false }));
  if (chosen !== undefined) starts.push({ start: chosen, followed: true });
  return { starts, waiting, dropped, stop };
}
