// Draining jobs that are due already and do nothing: what is measured is the system.

import type { System } from '../systems/system.js';
import { payloadDueAt } from '../systems/system.js';
import { CONCURRENCY } from './work.js';
import type { Work } from './work.js';

const WARM_UP_SHARE = 0.2;

/** Schedules `jobs` jobs for now, then works them off; resolves with completions per second, the warm-up left out. */
export async function drainRate(system: System, jobs: number): Promise<number> {
  const due = Date.now() - 1000;
  await system.scheduleMany(Array.from({ length: jobs }, () => payloadDueAt(due)));
  const warmUp = Math.floor(jobs * WARM_UP_SHARE);
  let count = 0;
  let warmAt = 0;
  const doneAt = await new Promise<number>((resolve, reject) => {
    const completed = () => {
      count += 1;
      if (count === warmUp) warmAt = performance.now();
      if (count === jobs) resolve(performance.now());
    };
    system.work({ concurrency: CONCURRENCY, started: () => {}, completed }).catch(reject);
  });
  return ((jobs - warmUp) / (doneAt - warmAt)) * 1000;
}

/** `drain`: completions per second. */
export const drain: Work = async (system, sizes) => ({ drain: await drainRate(system, sizes.drainJobs) });
