// Reproduction: a run as the flags that bring it back, and the flags of the command as a run.
//
// R1  A line says what the seed would not draw by itself and the run depends on, and no more; read back, it gives the same
//     run. A fused store delivers at the exact time, whatever the precision.
// R2  What is not understood, or means nothing, is refused, with the flag's name and what it takes.

import { CarillonError, type Duration, durationMs, formatDuration } from '@carillon/core/spi';
import { FAULT_NAMES, type FaultName, type Faults, isRate } from '../plan/faults.js';
import { MOST_ENGINES, MOST_HOURS, MOST_SEED, type Plan, type PlanChoices, planOf, type Shape } from '../plan/plan.js';

/** One run, with what happens in it: everything that a violation depends on. */
export interface Trial {
  readonly plan: Plan;
  /** The name of a built-in workload. */
  readonly workload: string;
  /** How many calls business code makes at most; `Infinity` for no limit. */
  readonly jobs: number;
}

/** What is fixed before a seed decides the rest. */
export interface TrialChoices {
  readonly choices: PlanChoices;
  readonly workload: string;
  readonly jobs: number;
}

/** The flags that say what a run is, as text; one that is missing is left to the seed. */
export interface TrialFlags {
  readonly workload?: string | undefined;
  readonly hours?: string | undefined;
  readonly engines?: string | undefined;
  readonly jobs?: string | undefined;
  readonly shape?: string | undefined;
  readonly precision?: string | undefined;
  readonly horizon?: string | undefined;
  readonly faults?: string | undefined;
}

/** What runs unless a flag says otherwise. */
const USUAL_WORKLOAD = 'mixed';

const COMMAND = 'npm run simulate --';
const NONE = 'none';
const SHAPES: readonly Shape[] = ['apart', 'fused'];

/** The line that repeats a run (R1). */
export function reproductionOf({ plan, workload, jobs }: Trial): string {
  const drawn = planOf(plan.seed, { hours: plan.hours });
  const words = [COMMAND, '--seed', plan.seed, '--workload', workload, '--hours', plan.hours];
  if (jobs !== Infinity) words.push('--jobs', jobs);
  if (plan.engines !== drawn.engines) words.push('--engines', plan.engines);
  if (plan.shape !== drawn.shape) words.push('--shape', plan.shape);
  if (plan.shape !== 'fused' && plan.precisionMs !== drawn.precisionMs)
    words.push('--precision', formatDuration(plan.precisionMs));
  if (plan.horizonMs !== drawn.horizonMs) words.push('--horizon', horizonText(plan.horizonMs));
  if (faultsText(plan.faults) !== faultsText(drawn.faults)) words.push('--faults', faultsText(plan.faults));
  return words.join(' ');
}

/** The run of a seed, some of it chosen. */
export function trialOf(seed: number, { choices, workload, jobs }: TrialChoices): Trial {
  return { plan: planOf(seed, choices), workload, jobs };
}

/** Reads flags; throws `E_OPTIONS` for what it does not understand (R2). */
export function trialChoicesOf(flags: TrialFlags, workloads: readonly string[]): TrialChoices {
  const { workload = USUAL_WORKLOAD, hours, engines, jobs, shape, precision, horizon, faults } = flags;
  if (!workloads.includes(workload)) throw refused('workload', workload, `one of ${workloads.join(', ')}`);
  if (shape !== undefined && !isShape(shape)) throw refused('shape', shape, SHAPES.join(' or '));
  if (shape === 'fused' && precision !== undefined) {
    const next = 'A fused store is exact: leave it out, or take --shape apart.';
    throw new CarillonError('E_OPTIONS', '--precision says nothing to --shape fused.', { next });
  }
  return {
    workload,
    jobs: jobs === undefined ? Infinity : wholeNumber('jobs', jobs, 1, Number.MAX_SAFE_INTEGER),
    choices: {
      ...(hours !== undefined && { hours: hoursOf(hours) }),
      ...(engines !== undefined && { engines: wholeNumber('engines', engines, 1, MOST_ENGINES) }),
      ...(shape !== undefined && { shape }),
      ...(precision !== undefined && { precisionMs: lengthMs('precision', precision) }),
      ...(horizon !== undefined && { horizonMs: horizon === NONE ? Infinity : lengthMs('horizon', horizon) }),
      ...(faults !== undefined && { faults: faultsOf(faults) }),
    },
  };
}

/** Reads a seed; throws `E_OPTIONS`. */
export function seedOf(text: string): number {
  return wholeNumber('seed', text, 0, MOST_SEED);
}

/** Reads a whole number of at least `least`; throws `E_OPTIONS`. */
export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  const upTo = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  throw refused(flag, text, `a whole number ${upTo}`);
}

/** Faults as a flag says them: `crash=0.002,pause=1`, or `none`. */
export function faultsText(faults: Faults): string {
  const on = FAULT_NAMES.flatMap((name) => ((faults[name] ?? 0) > 0 ? [`${name}=${faults[name]}`] : []));
  return on.length === 0 ? NONE : on.join(',');
}

function faultsOf(text: string): Faults {
  if (text === NONE) return {};
  const faults: Partial<Record<FaultName, number>> = {};
  for (const part of text.split(',')) {
    const [, name, rate] = /^([a-z-]+)=([\d.]+(?:e-?\d+)?)$/.exec(part) ?? [];
    const known = FAULT_NAMES.find((known) => known === name);
    if (known !== undefined && Number(rate) > 1 && !isRate(known, Number(rate)))
      throw refused('faults', part, `a chance from 0 to 1 for ${known}`);
    if (known === undefined || !isRate(known, Number(rate))) {
      throw refused('faults', part, `none, or NAME=RATE,NAME=RATE with names of ${FAULT_NAMES.join(', ')}`);
    }
    faults[known] = Number(rate);
  }
  return faults;
}

function hoursOf(text: string): number {
  const hours = Number(text);
  if (/^[\d.]+$/.test(text) && hours > 0 && hours <= MOST_HOURS) return hours;
  throw refused('hours', text, `a number above 0, at most ${MOST_HOURS}`);
}

function lengthMs(flag: string, text: string): number {
  try {
    return durationMs(text as Duration, flag);
  } catch {
    throw refused(flag, text, `a length of time such as 1s or 20h${flag === 'horizon' ? ', or none' : ''}`);
  }
}

function horizonText(horizonMs: number): string {
  return horizonMs === Infinity ? NONE : formatDuration(horizonMs);
}

function isShape(text: string): text is Shape {
  return (SHAPES as readonly string[]).includes(text);
}

function refused(flag: string, text: string, takes: string): CarillonError {
  return new CarillonError('E_OPTIONS', `--${flag} ${text} is not understood.`, { next: `It takes ${takes}.` });
}
