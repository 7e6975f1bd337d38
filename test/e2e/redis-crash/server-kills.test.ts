// Redis is killed and started again, under load, again and again. A file that is flushed at each write and one that is
// flushed every second both keep what was answered when the process dies; a power cut would take up to a second of the latter.
//
// R1  Every acknowledged job is done, and its completion is recorded once.
// R2  No job is started twice: what a worker asked for and was not answered, it asks for again with the same nonce.

import { setImmediate } from 'node:timers/promises';
import { startRedis } from '@carillon/services';
import { expect, it } from 'vitest';
import { Fleet, persistently, tasks } from './fleet.js';

const KILLS = 3;
const JOBS_PER_KILL = 200;

it.each(['always', 'everysec'] as const)('appendfsync %s', async (appendfsync) => {
  const server = await startRedis({ appendfsync });
  try {
    await using fleet = new Fleet({ workers: 3, ledger: { url: server.url, timeoutMs: 1_000 } });
    await fleet.start();
    const placed: string[] = [];
    const enough = new AbortController();
    const produce = async (): Promise<void> => {
      while (!enough.signal.aborted) {
        const id = `job-${placed.length}`;
        placed.push(id);
        await persistently(() => fleet.carillon.schedule(tasks.retry, null, { id }));
      }
    };
    const load = Promise.all(Array.from({ length: 16 }, produce));
    for (let kill = 1; kill <= KILLS; kill += 1) {
      while (fleet.completions.size < kill * JOBS_PER_KILL) await setImmediate();
      await server.kill();
      await server.restart();
    }
    enough.abort();
    await load;
    for (const id of placed) {
      const job = await persistently(() => fleet.carillon.result(tasks.retry, { id }, { within: '60s' }));
      expect(job).toMatchObject({ state: 'done', attemptsBegun: 1 }); // R1, R2
    }
    expect(fleet.starts.size).toBe(placed.length);
    expect(fleet.doubles).toEqual([]); // R2
  } finally {
    await server.stop();
  }
});
