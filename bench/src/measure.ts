// Measures systems at the same works: in turns, each time in a process of its own on an empty place, and keeps medians.

import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { busyShare } from './machine.js';
import type { Servers } from './servers.js';
import type { SystemName } from './systems/systems.js';
import { systems } from './systems/systems.js';
import type { Answer, Assignment } from './work-process.js';
import type { Figures, Sizes } from './works/work.js';
import type { WorkName } from './works/works.js';

const WORK_PROCESS = fileURLToPath(new URL('./work-process.js', import.meta.url));
const WITHIN_MS = 15 * 60_000;
const QUIET_MS = 500; // between two measurements, for what the last one left behind
const QUIET_SHARE = 0.1; // of the processors; above it the machine does something else

/** How to measure. */
export interface Conditions {
  readonly servers: Servers;
  readonly sizes: Sizes;
  readonly runs: number;
  /** Called with a line for people after each run. */
  readonly progress: (line: string) => void;
}

let current: ChildProcess | undefined;
process.once('exit', () => current?.kill('SIGKILL'));

/** The median of at least one number. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Each system's median figures, named `work.figure`. Systems take turns, so that a slow minute of the machine hits all.
 */
export async function measure(
  works: readonly WorkName[],
  names: readonly SystemName[],
  conditions: Conditions,
): Promise<ReadonlyMap<SystemName, Figures>> {
  const all = new Map<SystemName, Figures[]>(names.map((name) => [name, []]));
  for (let run = 1; run <= conditions.runs; run += 1) {
    for (const name of names) {
      const figures: Record<string, number> = {};
      let busy = 0;
      for (const work of works) {
        const place = await conditions.servers.freshPlace(systems[name].needs);
        busy = Math.max(busy, await busyShare(QUIET_MS));
        const part = await runOnce({ work, system: name, place, sizes: conditions.sizes });
        for (const [figure, value] of Object.entries(part)) figures[`${work}.${figure}`] = value;
      }
      all.get(name)!.push(figures);
      const warning = busy > QUIET_SHARE ? ` (other programs used ${Math.round(busy * 100)} % of the processors)` : '';
      conditions.progress(`${name}, run ${run} of ${conditions.runs}: ${shown(figures)}${warning}`);
    }
  }
  return new Map([...all].map(([name, runs]) => [name, mediansOf(runs)]));
}

async function runOnce(assignment: Assignment): Promise<Figures> {
  const child = fork(WORK_PROCESS, [], { execArgv: ['--expose-gc'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  current = child;
  const exited = once(child, 'exit');
  const patience = setTimeout(() => child.kill('SIGKILL'), WITHIN_MS);
  try {
    child.send(assignment);
    const answer = await Promise.race([
      once(child, 'message').then(([message]) => message as Answer),
      exited.then((): Answer => ({ failure: 'its process ended without an answer' })),
    ]);
    if ('failure' in answer) throw new Error(`${assignment.work} with ${assignment.system}: ${answer.failure}`);
    await exited;
    return answer.figures;
  } finally {
    clearTimeout(patience);
    child.kill('SIGKILL');
  }
}

function mediansOf(runs: readonly Figures[]): Figures {
  return Object.fromEntries(Object.keys(runs[0]!).map((key) => [key, median(runs.map((run) => run[key]!))]));
}

function shown(figures: Figures): string {
  return Object.entries(figures)
    .map(([key, value]) => `${key} ${value.toLocaleString('en', { maximumSignificantDigits: 4 })}`)
    .join(', ');
}
