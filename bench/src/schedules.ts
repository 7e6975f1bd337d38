// The suite `schedules`: many schedules that all run at every full second, ours beside BullMQ's job schedulers, in turns.
//
// Ours may run as many handlers at once as there are schedules: with fewer, some wait for others to end. BullMQ has a hundred,
// with which it is better: with a thousand it misses seconds.
//
// Q1  What is counted is each schedule's run of each second, once: a second run of one, or one that starts early, fails the
//     benchmark. A second that never ran is missing from `fired`.

import { setTimeout as sleep } from 'node:timers/promises';
import { busyShare } from './machine.js';
import { median } from './measure.js';
import { bullmq } from './recurrers/bullmq.js';
import { carillon, spreadCarillon } from './recurrers/carillon.js';
import { placedJobs } from './recurrers/placed-jobs.js';
import type { RecurrerEntry } from './recurrers/recurrer.js';
import type { Row, Suite } from './report.js';
import { servers as makeServers } from './servers.js';
import type { Place } from './systems/system.js';
import { CONCURRENCY, now } from './works/work.js';

const OURS = 'Carillon';
const FEWER = 'Carillon, 100 handlers at once';
const recurrers = {
  [OURS]: carillon,
  BullMQ: bullmq,
  'jobs placed before': placedJobs,
  [FEWER]: carillon,
  'Carillon, spread over 700 ms': spreadCarillon,
} as const;
type Name = keyof typeof recurrers;
const NAMES = Object.keys(recurrers) as readonly Name[];
const SETTLE_SECONDS = 3; // not counted: the first seconds warm up
const CLOCK_TOLERANCE_MS = 1.5; // Date.now() drops the fraction, and performance's origin is up to 1 ms off
const QUIET_MS = 500;

/** How it went. */
interface Rhythm {
  /** Percent of what should have run. */
  readonly fired: number;
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of processor time per run, the client's and the server's together. */
  readonly cpuUs: number;
}

/** Measures everybody in turns. */
export const schedules: Suite = async function* ({ runs, quick, only, install, progress }) {
  if (only !== undefined) throw new Error(`No work '${only}'. The suite schedules has one work.`);
  const [count, seconds] = quick ? [100, 3] : [1_000, 20];
  const servers = makeServers({ install });
  const rhythms = new Map<Name, Rhythm[]>(NAMES.map((name) => [name, []]));
  try {
    for (let run = 1; run <= runs; run += 1) {
      for (const name of NAMES) {
        const place = await servers.freshPlace(recurrers[name].needs);
        const busy = await busyShare(QUIET_MS);
        const atOnce = name === FEWER || name === 'BullMQ' ? CONCURRENCY : count;
        const rhythm = await rhythmOf(recurrers[name], place, { count, seconds, atOnce });
        rhythms.get(name)!.push(rhythm);
        progress(`${name}, run ${run} of ${runs}: ${shown(rhythm)} (others used ${Math.round(busy * 100)} % before)`);
      }
    }
  } finally {
    await servers.stop();
  }
  const of = (name: Name, figure: keyof Rhythm): number => median(rhythms.get(name)!.map((one) => one[figure]));
  const many = `${count.toLocaleString('en')} schedules every second`;
  yield* rows(of, 'fired', `${many}, fired`, '%', '>= 100');
  yield* rows(of, 'p50', `${many}, lateness p50`, 'ms', null);
  yield* rows(of, 'p99', `${many}, lateness p99`, 'ms', '<= 30');
  yield* rows(of, 'cpuUs', `${many}, CPU per run`, 'µs', null);
};

function* rows(
  of: (name: Name, figure: keyof Rhythm) => number,
  figure: keyof Rhythm,
  work: string,
  unit: string,
  goal: Row['goal'],
): Generator<Row> {
  const ours = of(OURS, figure);
  for (const peerName of NAMES.filter((name) => name !== OURS)) {
    const peer = of(peerName, figure);
    const ratio = figure === 'fired' ? ours / peer : peer / ours;
    yield { work, unit, ours, peer, peerName, ratio, goal: peerName === 'BullMQ' ? goal : null };
  }
}

/** Lets schedules run for some seconds and looks at those seconds alone. */
async function rhythmOf(
  entry: RecurrerEntry,
  place: Place,
  { count, seconds, atOnce }: { readonly count: number; readonly seconds: number; readonly atOnce: number },
): Promise<Rhythm> {
  const seen = new Set<string>();
  const lateness: number[] = [];
  let problem: string | undefined;
  let window = { fromMs: Infinity, toMs: Infinity };
  const recurrer = await entry.open(place, atOnce, (schedule, slotMs, dueMs = slotMs) => {
    const lateMs = now() - dueMs;
    const run = `${schedule} at ${new Date(slotMs).toISOString()}`;
    if (seen.has(run)) problem ??= `${run} ran twice`;
    if (lateMs < -CLOCK_TOLERANCE_MS) problem ??= `${run} started ${-lateMs} ms early`;
    seen.add(run);
    if (slotMs >= window.fromMs && slotMs < window.toMs) lateness.push(Math.max(0, lateMs));
  });
  try {
    await recurrer.every(Array.from({ length: count }, (_, index) => `s${index}`));
    const fromMs = (Math.ceil(Date.now() / 1000) + SETTLE_SECONDS) * 1000;
    window = { fromMs, toMs: fromMs + seconds * 1000 };
    await sleep(window.fromMs - 200 - Date.now());
    const cpuBefore = await recurrer.cpuSeconds();
    await sleep(window.toMs - 200 - Date.now()); // what is due in the last second has 800 ms to run
    const cpuSeconds = (await recurrer.cpuSeconds()) - cpuBefore;
    if (problem !== undefined) throw new Error(problem); // Q1
    lateness.sort((a, b) => a - b);
    const at = (share: number): number => lateness[Math.ceil(lateness.length * share) - 1] ?? NaN;
    const fired = (lateness.length / (count * seconds)) * 100;
    return { fired, p50: at(0.5), p99: at(0.99), cpuUs: (cpuSeconds * 1e6) / lateness.length };
  } finally {
    await recurrer.close();
  }
}

function shown({ fired, p50, p99, cpuUs }: Rhythm): string {
  return `fired ${fired.toFixed(1)} %, late ${p50.toFixed(1)} / ${p99.toFixed(1)} ms, ${cpuUs.toFixed(0)} µs of CPU per run`;
}
