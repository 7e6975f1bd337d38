// The suite `redis`: claiming work and reporting its end on the ledger (an on-claim job, of which a mark is left), beside its
// own scripts called raw, beside scripts that keep one bare string per job, and beside a naive lock, in one run: in turns, an
// empty server each, medians.

import { startRedis } from '@carillon/services';
import { Redis } from 'ioredis';
import { bareClaimer } from './claims/bare-claimer.js';
import type { Claimer } from './claims/claimer.js';
import { ledgerClaimer } from './claims/ledger-claimer.js';
import { naiveClaimer } from './claims/naive-claimer.js';
import { ownScriptsClaimer } from './claims/own-scripts-claimer.js';
import { median } from './measure.js';
import type { Suite } from './report.js';

const OURS = 'ledger';
const claimers = {
  [OURS]: ledgerClaimer,
  'its scripts, raw': ownScriptsClaimer,
  'bare strings': bareClaimer,
  'SET NX + DEL': naiveClaimer,
} as const;
type Name = keyof typeof claimers;
const NAMES = Object.keys(claimers) as readonly Name[];

/** The least ratio wanted; `null` where nothing was promised. */
const GOALS: Record<Exclude<Name, typeof OURS>, number | null> = {
  'its scripts, raw': 0.8,
  'bare strings': 0.8,
  'SET NX + DEL': null,
};
const IN_FLIGHT = [1, 16, 256] as const;
const WARM_UP_SHARE = 0.2;

/** How fast it went. */
interface Pace {
  /** Jobs per second. */
  readonly rate: number;
  /** Jobs per second of processor time, the client's and the server's together: what a busy machine says truly. */
  readonly thrift: number;
}

/** Measures each number in flight with everybody in turns. */
export const redis: Suite = async function* ({ runs, quick, only, install, progress }) {
  const chosen = IN_FLIGHT.filter((inFlight) => only === undefined || only === String(inFlight));
  if (chosen.length === 0) throw new Error(`No work '${only}'. Works: ${IN_FLIGHT.join(', ')}.`);
  for (const inFlight of chosen) {
    const jobs = Math.min(inFlight, 16) * (quick ? 300 : 5_000);
    const paces = new Map<Name, Pace[]>(NAMES.map((name) => [name, []]));
    for (let run = 1; run <= runs; run += 1) {
      for (const name of NAMES) {
        const pace = await onEmptyServer(install, claimers[name], (claimer, cpu) =>
          paceOf(claimer, cpu, jobs, inFlight),
        );
        paces.get(name)!.push(pace);
        const { rate, thrift } = pace;
        progress(
          `${name}, ${inFlight} in flight, run ${run} of ${runs}: ${Math.round(rate)} jobs/s, ${Math.round(thrift)} per CPU second`,
        );
      }
    }
    for (const [figure, unit] of [
      ['rate', 'jobs/s'],
      ['thrift', 'jobs/CPU s'],
    ] as const) {
      const medianOf = (name: Name): number => median(paces.get(name)!.map((pace) => pace[figure]));
      const ours = medianOf(OURS);
      const work = `claim + finish, ${inFlight} in flight`;
      for (const [peerName, goal] of Object.entries(GOALS) as [Exclude<Name, typeof OURS>, number | null][]) {
        const peer = medianOf(peerName);
        yield { work, unit, ours, peer, peerName, ratio: ours / peer, goal: figure === 'rate' ? goal : null };
      }
    }
  }
};

/** Opens a claimer on a server of its own; `cpu` tells the seconds of processor time of both. */
async function onEmptyServer<T>(
  install: boolean,
  open: (url: string) => Promise<Claimer>,
  use: (claimer: Claimer, cpu: () => Promise<number>) => Promise<T>,
): Promise<T> {
  const server = await startRedis({ install });
  const control = new Redis(server.url);
  try {
    const claimer = await open(server.url);
    const result = await use(claimer, async () => (await serverCpu(control)) + ownCpu());
    await claimer.close();
    return result;
  } finally {
    control.disconnect();
    await server.stop();
  }
}

async function serverCpu(control: Redis): Promise<number> {
  const info = await control.info('cpu');
  return [...info.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].reduce((sum, [, seconds]) => sum + Number(seconds), 0);
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Claims and finishes `jobs` jobs, some in flight at any time; the first fifth warms up. */
async function paceOf(claimer: Claimer, cpu: () => Promise<number>, jobs: number, inFlight: number): Promise<Pace> {
  let begun = 0;
  const lane = async (until: number): Promise<void> => {
    while (begun < until) {
      const id = `job-${(begun += 1)}`;
      await claimer.finish(id, await claimer.claim(id));
    }
  };
  const lanes = (until: number) => Promise.all(Array.from({ length: inFlight }, () => lane(until)));
  const warmUp = Math.floor(jobs * WARM_UP_SHARE);
  await lanes(warmUp);
  const cpuBefore = await cpu();
  const before = performance.now();
  await lanes(jobs);
  const seconds = (performance.now() - before) / 1000;
  return { rate: (jobs - warmUp) / seconds, thrift: (jobs - warmUp) / ((await cpu()) - cpuBefore) };
}
