// Carillon's schedules on its embedded store, with the durability that it has by default.

import { Carillon, defineTask, implement, silentLogger } from '@carillon/core';
import { embedded } from '@carillon/embedded';
import { ownCpuSeconds, type RecurrerEntry } from './recurrer.js';

const task = defineTask<undefined>('tick');
const TOGETHER = 100;

export const carillon: RecurrerEntry = {
  needs: 'nothing',
  async open({ folder }, concurrency, started) {
    const work = implement(task, (_payload, { occurrence }) => {
      if (occurrence !== undefined) started(occurrence.schedule, occurrence.slot.getTime());
    });
    const app = new Carillon({ backend: embedded(folder), tasks: [work], concurrency, logger: silentLogger });
    await app.start();
    return {
      async every(schedules) {
        for (let at = 0; at < schedules.length; at += TOGETHER) {
          const some = schedules.slice(at, at + TOGETHER);
          await Promise.all(some.map((id) => app.schedules.put(id, task, { cron: '* * * * * *' })));
        }
      },
      cpuSeconds: async () => ownCpuSeconds(),
      close: () => app.stop(),
    };
  },
};
