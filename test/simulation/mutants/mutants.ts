// Mutants: shows that the simulator catches planted bugs: each mutant runs seed after seed until a run fails.
//
// M1  A catch says something only on a seed that the engine passes as it is: so that runs first, and where it fails, the
//     seed is left out and the whole table counts as failed.
// M2  A run that breaks down or never ends is a catch, and is named as such; a mutant that can't be loaded is not.

import { availableParallelism } from 'node:os';
import { MUTANTS } from './catalog.js';
import { JOB_WORKLOADS, type Mutant, type Workloads } from './mutant.js';
import { type Mutated, runMutant } from './mutant-run.js';

/** What to run, and how it is shown. */
export interface MutantsOptions {
  /** The most seeds per mutant; 50 by default. */
  readonly seeds?: number;
  /** Simulated hours per seed; 3 by default. */
  readonly hours?: number;
  /** One JSON row per line instead of the table. */
  readonly json?: boolean;
  /** Only the mutants with these names. */
  readonly only?: readonly string[];
  /** How many processes run at once; by default as many as there are cores. */
  readonly workers?: number;
}

/** One line of the table. */
interface Row {
  readonly mutant: string;
  readonly breaks: string;
  readonly caughtBy: string;
  /** How many seeds it took. */
  readonly seeds: number;
  readonly saw: string;
  readonly seconds: number;
  readonly caught: boolean;
}

const WIDEST_TEXT = 90;

/** Runs every mutant and prints the table; answers with the exit status: 1 if a mutant escapes or the engine itself fails. */
export async function runMutants(options: MutantsOptions = {}): Promise<number> {
  const { seeds = 50, hours = 3, json = false, only, workers = availableParallelism() } = options;
  const chosen = MUTANTS.filter(({ name }) => only?.includes(name) ?? true);

  console.error(`The engine as it is, ${seeds} seeds of ${hours} h:`);
  const clean = new Map<string, readonly number[]>();
  for (const workloads of workloadsOf(chosen))
    clean.set(String(workloads), await cleanSeeds(seeds, hours, workers, workloads)); // M1
  const rows: Row[] = [];
  await inParallel(workers, chosen, async (mutant) => {
    const workloads = mutant.workloads ?? JOB_WORKLOADS;
    const row = rowOf(mutant, await runMutant({ mutant, seeds: clean.get(String(workloads))!, hours, workloads }));
    rows.push(row);
    if (json) console.log(JSON.stringify(row));
    else
      console.error(
        `${rows.length}/${chosen.length}  ${row.mutant}: ${row.caughtBy} (seed ${row.seeds}, ${row.seconds} s)`,
      );
  });
  if (!json) print(chosen.flatMap(({ name }) => rows.filter(({ mutant }) => mutant === name)));
  const passed = [...clean.values()].every(({ length }) => length === seeds);
  return passed && rows.every(({ caught }) => caught) ? 0 : 1;
}

/** The workloads of some mutants, each set of them once. */
function workloadsOf(mutants: readonly Mutant[]): readonly Workloads[] {
  return [...new Map(mutants.map(({ workloads = JOB_WORKLOADS }) => [String(workloads), workloads] as const)).values()];
}

/** The seeds that the engine as it is passes. */
async function cleanSeeds(
  seeds: number,
  hours: number,
  workers: number,
  workloads: Workloads,
): Promise<readonly number[]> {
  const all = Array.from({ length: seeds }, (_, index) => index + 1);
  const shares = Array.from({ length: workers }, (_, worker) => all.filter((seed) => seed % workers === worker));
  const failed = new Set<number>();
  await inParallel(workers, shares, async (share) => {
    const run = await runMutant({ seeds: share, hours, workloads });
    if (run.end === 'hang' || run.end === 'unloadable') throw new Error(`The engine as it is: ${run.end}: ${run.text}`);
    for (const { seed, workload, failure } of run.failed) {
      failed.add(seed);
      console.error(`FAILED seed ${seed}, ${workload}: ${failure?.breaks}: ${headOf(failure?.text ?? '')}`);
    }
  });
  console.error(`${workloads.join(', ')}: ${seeds - failed.size} of ${seeds} passed\n`);
  return all.filter((seed) => !failed.has(seed));
}

async function inParallel<T>(workers: number, tasks: readonly T[], perform: (task: T) => Promise<void>): Promise<void> {
  const waiting = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) await perform(task);
  };
  await Promise.all(Array.from({ length: workers }, work));
}

function rowOf({ name, breaks }: Mutant, { end, runs, text, seconds }: Mutated): Row {
  return {
    mutant: name,
    breaks,
    caughtBy: end,
    seeds: runs,
    saw: headOf(text),
    seconds: Math.round(seconds),
    caught: end !== 'passed' && end !== 'unloadable', // M2
  };
}

function headOf(text: string): string {
  return text.split('\n')[0]!.slice(0, WIDEST_TEXT);
}

function print(rows: readonly Row[]): void {
  const heads = ['mutant', 'should break', 'caught by', 'seeds', 'what was seen'];
  const lines = rows.map((row) => [row.mutant, row.breaks, row.caughtBy, String(row.seeds), row.saw]);
  const widths = heads.map((_, column) => Math.max(...[heads, ...lines].map((line) => line[column]!.length)));
  for (const line of [heads, ...lines]) {
    console.log(
      line
        .map((text, column) => text.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    );
  }
  const escaped = rows.filter(({ caught }) => !caught).map(({ mutant, caughtBy }) => `${mutant} (${caughtBy})`);
  console.log(`\n${rows.length - escaped.length} of ${rows.length} mutants caught.`);
  if (escaped.length > 0) console.log(`Not caught: ${escaped.join(', ')}.`);
}
