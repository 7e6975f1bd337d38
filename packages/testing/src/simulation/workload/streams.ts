// Streams: five streams of a job a minute each, plain and short: the workload whose speed is stated.

import { defineTask, implement } from '@carillon/core';
import type { Instant } from '@carillon/core/spi';
import { allOf } from './order.js';
import type { Workload } from './workload.js';

const STREAMS = 5;
const MINUTE_MS = 60_000;
const WORK_MS = 300;

const tick = defineTask<{ stream: number; minute: number }>('tick');

/** Every minute schedules the next minute's job of each stream. */
export const streams: Workload = (_plan, { jobs = Infinity } = {}) => ({
  program: (machine) => [implement(tick, () => machine.sleep(WORK_MS))],
  drive: (shop) =>
    allOf(async (start) => {
      for (let called = 0, minute = 1; called < jobs; minute += 1) {
        const at = new Date(nextMinute(shop.now.getTime()));
        for (let stream = 1; stream <= STREAMS && called < jobs; stream += 1, called += 1) {
          const id = `stream-${stream}.${String(minute).padStart(6, '0')}`;
          start(shop.schedule(tick, { stream, minute }, { at, id }));
        }
        await shop.sleep({ milliseconds: MINUTE_MS });
      }
    }),
});

/** The beginning of the minute after this one. */
function nextMinute(now: Instant): Instant {
  return (Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS;
}
