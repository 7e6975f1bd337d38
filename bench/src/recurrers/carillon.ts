// Carillon's schedules on its embedded store, with the durability that it has by default: all due at the full second, or spread
// by a hash of their ids, as who has so many should.

import { Carillon, defineTask, type Duration, implement, silentLogger } from '@carillon/core';
import { embedded } from '@carillon/embedded';
import { ownCpuSeconds, type RecurrerEntry } from './recurrer.js';

const task = defineTask<undefined>('tick');
const TOGETHER = 100;

export const carillon = spreadOver('0ms');
export const spreadCarillon = spreadOver('700ms'); // what is due in the last second has 800 ms to run

function spreadOver(spread: Duration): RecurrerEntry {
  return {
    needs: 'nothing',
    async open({ folder }, concurrency, started) {
      const work = implement(task, (_payload, { occurrence }) => {
        if (occurrence === undefined) return;
        const { schedule, slot, dueAt } = occurrence;
        started(schedule, slot.getTime(), dueAt.getTime());
      });
      const app = new Carillon({ backend: embedded(folder), tasks: [work], concurrency, logger: silentLogger });
      await app.start();
      return {
        async every(schedules) {
          for (let at = 0; at < schedules.length; at += TOGETHER) {
            const some = schedules.slice(at, at + TOGETHER);
            await Promise.all(some.map((id) => app.schedules.put(id, task, { cron: '* * * * * *', spread })));
          }
        },
        cpuSeconds: async () => ownCpuSeconds(),
        close: () => app.stop(),
      };
    },
  };
}
