// Options: the flags of `npm run simulate`.

import { parseArgs } from 'node:util';
import { CarillonError } from '@carillon/core/spi';
import { MUTANTS } from './mutants/catalog.js';
import type { MutantsOptions } from './mutants/mutants.js';
import {
  FAULT_NAMES,
  seedOf,
  type TrialChoices,
  trialChoicesOf,
  wholeNumber,
  WORKLOADS,
} from '@carillon/testing/simulation';

/** The built-in workloads, the usual one first. */
const WORKLOAD_NAMES = Object.keys(WORKLOADS);

/** What the flags say. */
export interface Options extends TrialChoices {
  /** Every seed to run, in this order. */
  readonly seeds: readonly number[];
  /** One seed was asked for by itself. */
  readonly single: boolean;
  readonly workers: number;
  readonly twice: boolean;
  readonly trace: boolean;
  readonly json: boolean;
  readonly shrink: boolean;
  /** The planted bugs are to be run instead. */
  readonly mutants: MutantsOptions | undefined;
  readonly help: boolean;
}

const USUAL_SEEDS = '100';
const USUAL_HOURS = '24';
const MUTANT_FLAGS = ['mutants', 'only', 'seeds', 'hours', 'workers', 'json', 'help'];
const MOST_WORKERS = 256;
const MOST_SEED = 2 ** 32 - 1;

/** How the command is called. */
export const USAGE = `Runs the real engine through simulated faults and checks its invariants. A failing seed prints the line that repeats it,
is made small, and tells its story. docs/simulation.md explains everything.

Usage: npm run simulate -- [flags]

  --seeds N          how many seeds to run (default ${USUAL_SEEDS})
  --from S           the first of them (default 1)
  --seed S           one seed, with its plan
  --hours H          simulated hours of each run (default ${USUAL_HOURS}); some healed hours follow
  --workload NAME    what is scheduled: ${WORKLOAD_NAMES.join(', ')} (default ${WORKLOAD_NAMES[0]})
  --jobs N           at most so many orders
  --engines N        how many engines run at once           ╮
  --shape SHAPE      apart (broker and ledger) or fused     │
  --precision TIME   how coarse the broker's times are: 1s  │ each seed draws
  --horizon TIME     how far ahead it takes messages: 20h,  │ what is not said
                     or none                                │
  --faults LIST      none, or NAME=RATE,NAME=RATE           ╯
  --twice            run every seed twice and compare, not every tenth
  --trace            print the trace of the run, with --seed
  --no-shrink        leave a failing seed as it is
  --json             print one JSON row per line
  --workers N        how many threads run seeds (default: one per core)
  --mutants          plant bugs in the engine and see them caught; takes --seeds, --hours, --workers, --json
  --only LIST        with --mutants: these only
  --help             print this

Faults: ${wrapped(FAULT_NAMES, 110, '        ')}.

Exit status: 0 if all seeds passed; 1 if an invariant was broken, or a large suite was too tame; 2 for wrong flags; 130 after Ctrl-C.`;

/** Reads the flags; throws `E_OPTIONS`. */
export function parseOptions(args: readonly string[], cores: number): Options {
  const given = flagsIn(args);
  const { seed, seeds, from, trace, help, mutants, only, ...flags } = given;
  const { hours, json, twice } = flags;
  if (seed !== undefined && (seeds !== undefined || from !== undefined)) {
    throw misused('--seed runs one seed, --seeds and --from run many.', 'Give one or the other.');
  }
  if (only !== undefined && !mutants)
    throw misused('--only chooses among the planted bugs.', 'Give it with --mutants.');
  const stray = Object.entries(given).find(([flag, value]) => value !== false && !MUTANT_FLAGS.includes(flag));
  if (mutants && stray !== undefined) {
    const takes = MUTANT_FLAGS.slice(1, -1).map((flag) => `--${flag}`);
    throw misused(`--${stray[0]} says nothing to the planted bugs.`, `With --mutants there are ${takes.join(', ')}.`);
  }
  const unknown = only?.split(',').find((name) => MUTANTS.every((mutant) => mutant.name !== name));
  if (unknown !== undefined)
    throw misused(`--only: no planted bug is called '${unknown}'.`, '--mutants shows their names.');
  if (trace && seed === undefined) throw misused('--trace prints the trace of one seed.', 'Give it with --seed.');
  const first = wholeNumber('from', from ?? '1', 0, MOST_SEED);
  const count = wholeNumber('seeds', seeds ?? USUAL_SEEDS, 1, MOST_SEED - first);
  const workers = flags.workers === undefined ? cores : wholeNumber('workers', flags.workers, 1, MOST_WORKERS);
  const trial = trialChoicesOf({ ...flags, hours: hours ?? USUAL_HOURS }, WORKLOAD_NAMES);
  const planted: MutantsOptions = {
    json,
    workers,
    ...(seeds !== undefined && { seeds: count }),
    ...(hours !== undefined && { hours: trial.choices.hours! }),
    ...(only !== undefined && { only: only.split(',') }),
  };
  return {
    ...trial,
    seeds: seed === undefined ? Array.from({ length: count }, (_, index) => first + index) : [seedOf(seed)],
    single: seed !== undefined,
    workers,
    shrink: !flags['no-shrink'],
    twice,
    trace,
    json,
    mutants: mutants ? planted : undefined,
    help,
  };
}

function flagsIn(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const mark = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        seeds: text,
        from: text,
        seed: text,
        hours: text,
        workload: text,
        jobs: text,
        engines: text,
        shape: text,
        precision: text,
        horizon: text,
        faults: text,
        workers: text,
        twice: mark,
        trace: mark,
        'no-shrink': mark,
        only: text,
        json: mark,
        mutants: mark,
        help: { ...mark, short: 'h' },
      },
    }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw misused(message.replace(/\.?$/, '.'), 'See --help.');
  }
}

function misused(message: string, next: string): CarillonError {
  return new CarillonError('E_OPTIONS', message, { next });
}

function wrapped(words: readonly string[], width: number, indent: string): string {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 2 > width) lines.push(word);
    else lines[lines.length - 1] = `${last}, ${word}`;
  }
  return lines.join(`,\n${indent}`);
}
