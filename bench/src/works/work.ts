// What a work is: something to do with a system, and the figures that come out of it.

import type { System } from '../systems/system.js';

/** How much to do; `--quick` makes each smaller. */
export interface Sizes {
  /** How long `schedule` schedules, in seconds. */
  readonly scheduleSeconds: number;
  readonly drainJobs: number;
  readonly burstJobs: number;
  readonly latenessSeconds: number;
  readonly footprintJobs: number;
  /** What is pending beforehand in `loaded`. */
  readonly pendingJobs: number;
}

/** Sizes of a full benchmark. */
export const FULL: Sizes = {
  scheduleSeconds: 4,
  drainJobs: 50_000,
  burstJobs: 10_000,
  latenessSeconds: 10,
  footprintJobs: 300_000,
  pendingJobs: 1_000_000,
};

/** Sizes of a smoke run: its figures mean little. */
export const QUICK: Sizes = {
  scheduleSeconds: 0.5,
  drainJobs: 5_000,
  burstJobs: 2_000,
  latenessSeconds: 1,
  footprintJobs: 20_000,
  pendingJobs: 20_000,
};

/** Concurrency of everything: promises in flight, and handlers that may run at once. */
export const CONCURRENCY = 100;

/** Figures by name, each in the unit that the suite gives it. */
export type Figures = Readonly<Record<string, number>>;

/** Does the work with a system on an empty place. */
export type Work = (system: System, sizes: Sizes) => Promise<Figures>;

/** Epoch milliseconds with a fraction. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
