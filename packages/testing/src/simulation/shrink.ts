// Shrink: makes a failing run small: fewer faults, engines, jobs and hours, a simpler shape, with the same invariant broken.
//
// K1  A step is kept only if its run breaks what the first run broke; so the smallest is always a failing run itself.
// K2  It ends: every step makes the trial smaller, and none is tried twice.

import { FAULT_NAMES, type FaultName, type Faults } from './plan/faults.js';
import type { Plan } from './plan/plan.js';
import { reproductionOf, type Trial } from './report/reproduction.js';
import type { Outcome } from './suite.js';

/** A failing run, made small. */
export interface Shrunk {
  readonly smallest: Outcome;
  /** How many runs it took. */
  readonly runs: number;
}

/** What shrinking needs. */
export interface ShrinkOptions {
  /** Lives a smaller trial through. */
  readonly attempt: (trial: Trial) => Promise<Outcome>;
  /** Asked before each run whether it is enough; always goes on if missing. */
  readonly enough?: (runs: number) => boolean;
  /** Hears of every step that was kept. */
  readonly kept?: (smaller: Outcome) => void;
}

/** A way to make a failing run smaller; undefined where it can't. */
type Step = (failing: Outcome) => Trial | undefined;

const HOUR_MS = 3_600_000;

/** The boldest first: what is gone early makes all later runs shorter. */
const STEPS: readonly Step[] = [
  hoursAfterTheFailure,
  (failing) => withFaults(failing, () => false),
  (failing) => withFaults(failing, (_, index, on) => index < on.length / 2),
  (failing) => withFaults(failing, (_, index, on) => index >= on.length / 2),
  ...FAULT_NAMES.map(
    (dropped): Step =>
      (failing) =>
        withFaults(failing, (name) => name !== dropped),
  ),
  ({ trial }) => withPlan(trial, { engines: 1 }),
  ({ trial }) => withPlan(trial, { engines: Math.max(1, trial.plan.engines - 1) }),
  ({ trial }) => withPlan(trial, { shape: 'fused' }),
  ({ trial }) => withPlan(trial, { precisionMs: 0 }),
  ({ trial }) => withPlan(trial, { horizonMs: Infinity }),
  (failing) => withJobs(failing, () => 1),
  (failing) => withJobs(failing, (jobs) => Math.ceil(jobs / 2)),
  (failing) => withJobs(failing, (jobs) => Math.ceil(jobs * 0.8)),
  (failing) => withJobs(failing, (jobs) => jobs - 1),
  ({ trial }) => withPlan(trial, { hours: roundedUp(trial.plan.hours / 2) }),
];

/** Shrinks a failing run. */
export async function shrink(failing: Outcome, { attempt, enough, kept }: ShrinkOptions): Promise<Shrunk> {
  const broken = failing.failure?.breaks;
  const tried = new Set([reproductionOf(failing.trial)]);
  let smallest = failing;
  let runs = 0;
  const isSmaller = async (trial: Trial | undefined): Promise<boolean> => {
    if (trial === undefined || tried.has(reproductionOf(trial)) || enough?.(runs) === true) return false; // K2
    tried.add(reproductionOf(trial));
    runs += 1;
    const outcome = await attempt(trial);
    if (outcome.failure === undefined || outcome.failure.breaks !== broken) return false; // K1
    smallest = outcome;
    kept?.(outcome);
    return true;
  };
  for (let before: Outcome | undefined; before !== smallest;) {
    before = smallest;
    for (const step of STEPS) while (await isSmaller(step(smallest)));
  }
  return { smallest, runs };
}

/** Nothing that comes after a failure brought it about. */
function hoursAfterTheFailure({ trial, failure, startedAt }: Outcome): Trial | undefined {
  if (failure === undefined) return undefined;
  const hours = roundedUp((failure.at - startedAt + 1) / HOUR_MS);
  return hours < trial.plan.hours ? withPlan(trial, { hours }) : undefined;
}

function withFaults(
  { trial }: Outcome,
  stays: (name: FaultName, index: number, on: readonly FaultName[]) => boolean,
): Trial | undefined {
  const { faults } = trial.plan;
  const on = FAULT_NAMES.filter((name) => (faults[name] ?? 0) > 0);
  const left = on.filter(stays);
  if (left.length === on.length) return undefined;
  return withPlan(trial, { faults: Object.fromEntries(left.map((name) => [name, faults[name]])) as Faults });
}

function withJobs({ trial, placings }: Outcome, fewer: (most: number) => number): Trial | undefined {
  const most = Math.min(trial.jobs, placings);
  const jobs = fewer(most);
  return jobs >= 1 && jobs < most ? { ...trial, jobs } : undefined;
}

function withPlan(trial: Trial, change: Partial<Plan>): Trial {
  return { ...trial, plan: { ...trial.plan, ...change } };
}

/** To the hundredth of an hour, so that it reads well. */
function roundedUp(hours: number): number {
  return Math.ceil(hours * 100) / 100;
}
