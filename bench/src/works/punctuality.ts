// How late jobs start: a steady stream, and everything at one instant. The system works already and waits.
//
// P1  All jobs are stored before the first is due, so that only their starts are measured.
// P2  A job that starts early fails the measurement.

import { setTimeout as sleep } from 'node:timers/promises';
import type { System } from '../systems/system.js';
import { payloadDueAt } from '../systems/system.js';
import { CONCURRENCY, now } from './work.js';
import type { Work } from './work.js';

const PER_SECOND = 1000;
const CLOCK_TOLERANCE_MS = 1.5; // Date.now() drops the fraction, and performance's origin is up to 1 ms off
const HEAD_START_MS = 4000; // scheduling 10,000 jobs takes every system less
const PATIENCE_MS = 60_000;

/** How late each of some jobs starts, in ms, sorted: one job per offset from a common start, in ms. */
type LatenessOf = (offsets: readonly number[]) => Promise<Float64Array>;

/** Puts a system to work, and answers with what measures it, as often as it is asked to. */
async function atWork(system: System): Promise<LatenessOf> {
  let lateness = new Float64Array();
  let count = 0;
  await system.work({
    concurrency: CONCURRENCY,
    started: ({ dueAt }) => {
      lateness[count] = now() - dueAt;
      count += 1;
    },
    completed: () => {},
  });
  return async (offsets) => {
    lateness = new Float64Array(offsets.length);
    count = 0;
    await sleep(500); // idle, as it would be
    const start = Date.now() + HEAD_START_MS;
    await system.scheduleMany(offsets.map((offset) => payloadDueAt(start + offset)));
    if (Date.now() > start) throw new Error(`Scheduling ${offsets.length} jobs took longer than ${HEAD_START_MS} ms.`);
    const deadline = start + Math.max(...offsets) + PATIENCE_MS;
    while (count < offsets.length) {
      if (Date.now() > deadline) throw new Error(`Only ${count} of ${offsets.length} jobs started.`);
      await sleep(50);
    }
    lateness.sort();
    if (lateness[0]! < -CLOCK_TOLERANCE_MS) throw new Error(`A job started ${-lateness[0]!} ms early.`);
    return lateness;
  };
}

/** `lateness`: p50, p99 and max in ms at 1,000 due per second. */
export const lateness: Work = async (system, sizes) => {
  const jobs = sizes.latenessSeconds * PER_SECOND;
  const latenessOf = await atWork(system);
  const sorted = await latenessOf(Array.from({ length: jobs }, (_, index) => Math.floor((index * 1000) / PER_SECOND)));
  const at = (share: number) => Math.max(0, sorted[Math.min(jobs - 1, Math.floor(jobs * share))]!);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
};

/** `burst`: how many of the jobs due at one instant start per second: in a process that has just begun, and once more in the
 *  same process, whose code is compiled by then. */
export const burst: Work = async (system, sizes) => {
  const latenessOf = await atWork(system);
  const offsets = Array.from({ length: sizes.burstJobs }, () => 0);
  const perSecond = async () => (sizes.burstJobs / (await latenessOf(offsets)).at(-1)!) * 1000;
  return { first: await perSecond(), second: await perSecond() };
};
