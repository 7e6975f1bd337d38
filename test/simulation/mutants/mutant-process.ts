// A mutant as a process of its own: plants its bug, loads the engine, and lives seed after seed through until a run fails.
//
// P1  An error or a rejection that nobody handles fails the run in which it happens.

import { register } from 'node:module';
import type { Outcome, Trial } from '@carillon/testing/simulation';
import { JOB_WORKLOADS, type Mutant, type Workloads } from './mutant.js';
import type { Mutation } from './mutation-hooks.js';

/** What the process is started with; without a mutant it runs the engine as it is, through all seeds. */
export interface MutantSetting {
  readonly mutant?: Mutant;
  readonly workloads?: Workloads;
  readonly seeds: readonly number[];
  readonly hours: number;
}

type Failure = NonNullable<Outcome['failure']>;

/** What a run came to. */
export interface Ran {
  readonly is: 'ran';
  readonly seed: number;
  readonly workload: string;
  /** How it failed, if it did. */
  readonly failure?: Pick<Failure, 'breaks' | 'text'>;
}

/** What the process tells: that the engine is loaded, and what each run came to. */
export type MutantNews = { readonly is: 'loaded' } | Ran;

const HOURLY = ['broker-down', 'ledger-down', 'failover', 'clock-step', 'pause', 'restart', 'partition'] as const;
const OFTENER = 5; // so that a few hours hold what comes by the hour as often as a day does

const { mutant, seeds, hours, workloads = JOB_WORKLOADS } = JSON.parse(process.argv[2] ?? '{}') as MutantSetting;

if (mutant !== undefined) {
  const data: Mutation = { mutant, dist: new URL('.', import.meta.resolve('@carillon/core')).href };
  register('./mutation-hooks.js', { parentURL: import.meta.url, data });
}
const { liveBuiltIn, outcomeOf, trialOf } = await import('@carillon/testing/simulation').catch(giveUp);

await tell({ is: 'loaded' });
for (const seed of seeds) {
  const workload = workloads[seed % workloads.length]!;
  const trial = trialOfSeed(seed, workload);
  const failure = await failureOf(trial);
  await tell({
    is: 'ran',
    seed,
    workload,
    ...(failure && { failure: { breaks: failure.breaks, text: failure.text } }),
  });
  if (failure !== undefined && mutant !== undefined) break;
}
process.disconnect();

/** The run of a seed, with more faults than it draws. */
function trialOfSeed(seed: number, workload: string): Trial {
  const { plan } = trialOf(seed, { choices: { hours }, workload, jobs: Infinity });
  const oftener = HOURLY.map((name) => [name, (plan.faults[name] ?? 0) * OFTENER] as const).filter(
    ([, rate]) => rate > 0,
  );
  const faults = { ...plan.faults, ...Object.fromEntries(oftener) };
  return { plan: { ...plan, faults }, workload, jobs: Infinity };
}

/** A mutant that can't be loaded is a mistake of the catalog's. */
function giveUp(error: unknown): never {
  process.stderr.write(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

/** How a run fails, if it does; also by what goes wrong where nobody looks (P1). */
function failureOf(trial: Trial): Promise<Pick<Failure, 'breaks' | 'text'> | undefined> {
  return new Promise((resolve) => {
    for (const event of ['unhandledRejection', 'uncaughtException'] as const) {
      process.removeAllListeners(event).on(event, (error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        resolve({ breaks: 'error', text: `unhandled: ${text}` });
      });
    }
    void outcomeOf(trial, liveBuiltIn).then(({ failure }) => resolve(failure));
  });
}

function tell(news: MutantNews): Promise<void> {
  return new Promise((resolve) => process.send!(news, () => resolve()));
}
