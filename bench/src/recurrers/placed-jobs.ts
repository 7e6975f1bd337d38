// Ordinary jobs that were placed beforehand, one for each second: what is left is what a job itself costs.

import { Carillon, defineTask, implement, silentLogger } from '@carillon/core';
import { embedded } from '@carillon/embedded';
import { ownCpuSeconds, type RecurrerEntry } from './recurrer.js';

const task = defineTask<{ schedule: string; slotMs: number }>('tick');
const SECONDS = 60;

export const placedJobs: RecurrerEntry = {
  needs: 'nothing',
  async open({ folder }, concurrency, started) {
    const work = implement(task, ({ schedule, slotMs }) => started(schedule, slotMs));
    const app = new Carillon({ backend: embedded(folder), tasks: [work], concurrency, logger: silentLogger });
    await app.start();
    return {
      async every(schedules) {
        const firstMs = (Math.ceil(Date.now() / 1000) + 2) * 1000;
        for (let second = 0; second < SECONDS; second += 1) {
          const slotMs = firstMs + second * 1000;
          const at = new Date(slotMs);
          await app.scheduleMany(
            schedules.map((schedule) => ({ task, payload: { schedule, slotMs }, options: { at } })),
          );
        }
      },
      cpuSeconds: async () => ownCpuSeconds(),
      close: () => app.stop(),
    };
  },
};
