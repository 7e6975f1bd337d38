// What a pending job costs while it waits: memory of this process and of the server, and disk.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { System } from '../systems/system.js';
import { halfFarOff } from './loaded.js';
import { CONCURRENCY } from './work.js';
import type { Figures, Work } from './work.js';

const WARM_UP_SHARE = 0.2;
const BATCH = 10_000;

/** `footprint`: bytes of RAM and of disk per pending job, half of them due far off, with a worker waiting. */
export const footprint: Work = async (system, { footprintJobs }) => {
  const source = halfFarOff();
  const fill = async (jobs: number) => {
    for (let left = jobs; left > 0; left -= BATCH) {
      await system.scheduleMany(Array.from({ length: Math.min(left, BATCH) }, () => source.next().value));
    }
  };
  await system.work({ concurrency: CONCURRENCY, started: () => {}, completed: () => {} });
  await fill(footprintJobs * WARM_UP_SHARE); // heap and buffers get their working size
  const before = await used(system);
  await fill(footprintJobs);
  const after = await used(system);
  return Object.fromEntries(
    Object.keys(after).map((key) => [key, Math.max(0, after[key]! - before[key]!) / footprintJobs]),
  );
};

/** Bytes in use; `ram` is missing where a server does not tell its part. */
async function used(system: System): Promise<Figures> {
  await sleep(1500); // what is written in the background settles
  globalThis.gc?.();
  await sleep(100);
  globalThis.gc?.();
  const { serverRamBytes, diskBytes } = await system.footprint();
  return { disk: diskBytes, ...(serverRamBytes !== null && { ram: anonymousMemory() + serverRamBytes }) };
}

/** Resident memory of this process without mapped files, whose pages the system may drop at any time. */
function anonymousMemory(): number {
  const kib = /RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  if (kib === undefined) throw new Error('This system does not tell the anonymous memory of a process; Linux does.');
  return Number(kib) * 1024;
}
