// BullMQ's job schedulers on Redis: jobs are removed when they completed, no events are awaited.

import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { ownCpuSeconds, type RecurrerEntry } from './recurrer.js';

const QUEUE = 'bench';
const TOGETHER = 100;

export const bullmq: RecurrerEntry = {
  needs: 'redis',
  async open({ redis }, concurrency, started) {
    const connection = new Redis({ port: redis!.port, host: '127.0.0.1', maxRetriesPerRequest: null });
    const workConnection = connection.duplicate();
    const queue = new Queue(QUEUE, { connection });
    const worker = new Worker(
      QUEUE,
      async ({ id = '' }) => {
        const [, schedule = '', slotMs] = id.split(':'); // repeat:<scheduler>:<time>
        started(schedule, Number(slotMs));
      },
      { connection: workConnection, concurrency },
    );
    await worker.waitUntilReady();
    const opts = { removeOnComplete: true, removeOnFail: true };
    return {
      async every(schedules) {
        for (let at = 0; at < schedules.length; at += TOGETHER) {
          const some = schedules.slice(at, at + TOGETHER);
          await Promise.all(some.map((id) => queue.upsertJobScheduler(id, { pattern: '* * * * * *' }, { opts })));
        }
      },
      async cpuSeconds() {
        const used = (await connection.info('cpu')).matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm);
        return [...used].reduce((sum, [, seconds]) => sum + Number(seconds), ownCpuSeconds());
      },
      async close() {
        await worker.close(true);
        await queue.close();
        for (const one of [connection, workConnection]) one.disconnect();
      },
    };
  },
};
