// Drain: whole no-op jobs over RocketMQ, all of them due: what the engine's bookkeeping costs beside the transport's part.

import { openEngine, type Place, produce } from './worker.js';

/** Works off so many due no-op jobs; answers with what that took of this process. What placing them took does not count. */
export async function drainJobs(place: Place, count: number): Promise<{ perSecond: number; cpuUs: number }> {
  await produce({ place, count, first: 0, perSecond: 0 });
  let runs = 0;
  let finish: () => void;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const carillon = await openEngine(place, () => {});
  carillon.on('job:completed', () => {
    runs += 1;
    if (runs === count) finish();
  });
  await finished;
  const { user, system } = process.cpuUsage(before);
  const perSecond = (count / (performance.now() - startedAt)) * 1000;
  await carillon.stop();
  return { perSecond, cpuUs: (user + system) / count };
}
