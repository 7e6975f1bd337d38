// The suite `redis`: claiming work and reporting its end on the ledger (an on-claim job, of which a mark is left), beside its
// own scripts called raw, beside scripts that keep one bare string per job, and beside a naive lock, in one run: a server each,
// many short turns, so that what disturbs the machine meets all alike, medians.

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
const TURNS = 15; // in each run
const WARM_UP_TURNS = 8;
const JOBS_ALONE = 500;
const JOBS = 4_000;

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
    const jobs = (inFlight === 1 ? JOBS_ALONE : JOBS) / (quick ? 5 : 1);
    const runners: Runner[] = [];
    const paces = new Map<Name, Pace[]>(NAMES.map((name) => [name, []]));
    try {
      for (const name of NAMES) runners.push(await startRunner(install, name));
      for (let turn = -WARM_UP_TURNS; turn < runs * TURNS; turn += 1) {
        for (const runner of runners) {
          const pace = await paceOf(runner, jobs, inFlight);
          if (turn >= 0) paces.get(runner.name)!.push(pace);
        }
        runners.push(runners.shift()!); // everybody goes first, and last, as often
        if (turn >= 0 && turn % TURNS === TURNS - 1)
          progress(`${inFlight} in flight, ${turn + 1} of ${runs * TURNS} turns`);
      }
    } finally {
      for (const runner of runners) await runner.stop();
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

/** A claimer on a server of its own. */
interface Runner {
  readonly name: Name;
  readonly claimer: Claimer;
  /** How many jobs it has begun. */
  begun: number;
  /** Seconds of processor time, its server's and this process's. */
  readonly cpu: () => Promise<number>;
  readonly stop: () => Promise<void>;
}

async function startRunner(install: boolean, name: Name): Promise<Runner> {
  const server = await startRedis({ install });
  const control = new Redis(server.url);
  const claimer = await claimers[name](server.url);
  return {
    name,
    claimer,
    begun: 0,
    cpu: async () => (await serverCpu(control)) + ownCpu(),
    stop: async () => {
      await claimer.close();
      control.disconnect();
      await server.stop();
    },
  };
}

async function serverCpu(control: Redis): Promise<number> {
  const info = await control.info('cpu');
  return [...info.matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].reduce((sum, [, seconds]) => sum + Number(seconds), 0);
}

function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Claims and finishes `jobs` jobs, some in flight at any time. */
async function paceOf(runner: Runner, jobs: number, inFlight: number): Promise<Pace> {
  const { claimer, cpu } = runner;
  const until = runner.begun + jobs;
  const lane = async (): Promise<void> => {
    while (runner.begun < until) {
      const id = `job-${String((runner.begun += 1)).padStart(8, '0')}`;
      await claimer.finish(id, await claimer.claim(id));
    }
  };
  const cpuBefore = await cpu();
  const before = performance.now();
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - before) / 1000;
  return { rate: jobs / seconds, thrift: jobs / ((await cpu()) - cpuBefore) };
}
