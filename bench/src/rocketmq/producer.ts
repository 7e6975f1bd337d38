// Producer: the process that places the jobs of one measurement, and ends when all of them are at the broker.

import { openEngine, type Placement, task } from './worker.js';

const BATCH = 500;

const { place, count, first, perSecond } = JSON.parse(process.argv[2]!) as Placement;
const carillon = await openEngine(place);
for (let from = 0; from < count; from += BATCH) {
  const calls = Array.from({ length: Math.min(BATCH, count - from) }, (_, k) => {
    const dueAt = first === 0 ? 0 : Math.floor(first + ((from + k) * 1000) / perSecond);
    return { task, payload: dueAt, options: first === 0 ? {} : { at: new Date(dueAt) } };
  });
  await carillon.scheduleMany(calls);
}
await carillon.stop({ within: '2m' }); // waits for what is still being sent
