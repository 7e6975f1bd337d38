// The same scheduling and draining on a store that holds many pending jobs, half of them due at random over a year.

import type { Payload } from '../systems/system.js';
import { payloadDueAt } from '../systems/system.js';
import { drainRate } from './drain.js';
import { scheduleRate } from './schedule.js';
import type { Work } from './work.js';

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;
const BATCH = 10_000;

/** Jobs of which every other one is due far off at random, and the others in an hour and later. */
export function* halfFarOff(): Generator<Payload, never> {
  const start = Date.now() + HOUR_MS;
  for (let index = 0; ; index += 1)
    yield payloadDueAt(start + (index % 2 === 0 ? index : Math.floor(Math.random() * YEAR_MS)));
}

/** The works `empty` and `loaded` differ in what is pending beforehand, and in nothing else. */
function withPending(pendingOf: (sizes: Parameters<Work>[1]) => number): Work {
  return async (system, sizes) => {
    const source = halfFarOff();
    for (let left = pendingOf(sizes); left > 0; left -= BATCH) {
      await system.scheduleMany(Array.from({ length: Math.min(left, BATCH) }, () => source.next().value));
    }
    return {
      schedule: await scheduleRate(system, sizes.scheduleSeconds, source),
      drain: await drainRate(system, sizes.drainJobs),
    };
  };
}

/** `empty`: schedule and drain, nothing pending beforehand. */
export const empty = withPending(() => 0);

/** `loaded`: schedule and drain with everything pending. */
export const loaded = withPending((sizes) => sizes.pendingJobs);
