// Scheduling one by one: how many jobs per second the system takes from callers that wait for its answer.

import type { Payload, System } from '../systems/system.js';
import { payloadDueAt } from '../systems/system.js';
import { CONCURRENCY } from './work.js';
import type { Work } from './work.js';

const HOUR_MS = 3_600_000;

/** Jobs due in an hour and later, in the order in which they are scheduled. */
function* dueInOrder(): Generator<Payload, never> {
  for (let dueAt = Date.now() + HOUR_MS; ; dueAt += 1) yield payloadDueAt(dueAt);
}

/** Schedules from `source` with `CONCURRENCY` calls in flight for some seconds; resolves with jobs per second. */
export async function scheduleRate(
  system: System,
  seconds: number,
  source: Generator<Payload, never>,
): Promise<number> {
  await scheduleFor(system, seconds / 4, source); // warms up
  return scheduleFor(system, seconds, source);
}

async function scheduleFor(system: System, seconds: number, source: Generator<Payload, never>): Promise<number> {
  const start = performance.now();
  const end = start + seconds * 1000;
  let count = 0;
  const caller = async () => {
    while (performance.now() < end) {
      await system.schedule(source.next().value);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, caller));
  return (count / (performance.now() - start)) * 1000;
}

/** `schedule`: jobs per second. */
export const schedule: Work = async (system, sizes) => ({
  schedule: await scheduleRate(system, sizes.scheduleSeconds, dueInOrder()),
});
