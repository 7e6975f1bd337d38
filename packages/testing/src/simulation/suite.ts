// Suite: one run after the other: what each came to, as plain data that threads can hand on, and what they sum up to.
//
// U1  A run that throws has failed like one that breaks an invariant: nothing is swallowed.
// U2  A run that is repeated must show the same things in the same order.

import type { Instant } from '@carillon/core/spi';
import { Exemptions } from './checks/exemptions.js';
import type { Invariant } from './checks/monitor.js';
import { MONITORS } from './checks/monitors.js';
import { type RescueCounts, merged, Rescues } from './checks/rescues.js';
import type { Observer } from './observation.js';
import type { Trial } from './report/reproduction.js';
import { run, type RunResult } from './run.js';
import { WORKLOADS } from './workload/workloads.js';

/** What a run broke: an invariant, the promise that a seed replays, or the run itself by an error. */
export type Broken = Invariant | 'replay' | 'error';

/** How a run failed. */
export interface Failure {
  readonly breaks: Broken;
  /** The job, the record or the host concerned; empty where there is none. */
  readonly about: string;
  readonly text: string;
  readonly at: Instant;
}

/** How a run ended. */
export interface Outcome {
  readonly trial: Trial;
  readonly failure: Failure | undefined;
  readonly hash: string;
  readonly events: number;
  /** How many calls of business code asked for a job. */
  readonly placings: number;
  /** When it began, in simulated time. */
  readonly startedAt: Instant;
  /** How many simulated hours were lived through with faults on, repeats included. */
  readonly hours: number;
  readonly rescues: RescueCounts;
  /** How many jobs the monitors held nobody to, because the ledger had forgotten a write of them. */
  readonly exemptions: number;
  /** How many jobs were overdue at the end for want of room. */
  readonly backlog: number;
}

/** Lives a trial through while observers watch. */
export type Live = (trial: Trial, observers: readonly Observer[]) => Promise<RunResult>;

/** Runs a built-in workload under all monitors. */
export const liveBuiltIn: Live = ({ plan, workload, jobs }, observers) =>
  run(plan, WORKLOADS[workload]!(plan, { jobs }), MONITORS, observers);

/** Lives a trial through once, or twice to see that it replays (U2). */
export async function outcomeOf(
  trial: Trial,
  live: Live,
  { observers = [], twice = false }: { readonly observers?: readonly Observer[]; readonly twice?: boolean } = {},
): Promise<Outcome> {
  const first = await lived(trial, live, observers);
  if (!twice) return first;
  const second = await lived(trial, live, []);
  const both = { ...first, hours: first.hours + second.hours };
  if (second.hash === first.hash && second.events === first.events) return both;
  const text = `the hash of the first run is ${first.hash}, that of the second ${second.hash}`;
  return { ...both, failure: first.failure ?? { breaks: 'replay', about: '', text, at: first.startedAt } };
}

/** What several runs came to. */
export class Tally {
  readonly failed: Outcome[] = [];
  seeds = 0;
  hours = 0;
  events = 0;
  exemptions = 0;
  backlog = 0;
  rescues: RescueCounts = merged([]);

  /** Counts a run in. */
  add(outcome: Outcome): void {
    this.seeds += 1;
    this.hours += outcome.hours;
    this.events += outcome.events;
    this.exemptions += outcome.exemptions;
    this.backlog += outcome.backlog;
    this.rescues = merged([this.rescues, outcome.rescues]);
    if (outcome.failure !== undefined) this.failed.push(outcome);
  }
}

const HOUR_MS = 3_600_000;
const AMENDS = new Set<string>(['cancel', 'reschedule', 'redrive']); // these follow an order, all else is one

async function lived(trial: Trial, live: Live, observers: readonly Observer[]): Promise<Outcome> {
  const rescues = new Rescues();
  const exemptions = new Exemptions();
  let startedAt: Instant | undefined;
  let latest = 0;
  let placings = 0;
  const watch: Observer = (observation) => {
    startedAt ??= observation.at;
    latest = observation.at;
    if (observation.what === 'call' && !AMENDS.has(observation.call.call)) placings += 1;
    exemptions.watch(observation);
    rescues.watch(observation);
  };
  const ended = (failure: Failure | undefined, hash: string, events: number, backlog: number): Outcome => ({
    trial,
    failure,
    hash,
    events,
    placings,
    startedAt: startedAt ?? latest,
    hours: Math.min(trial.plan.hours, (latest - (startedAt ?? latest)) / HOUR_MS),
    rescues: rescues.counts,
    exemptions: exemptions.count,
    backlog,
  });
  try {
    const { violation, hash, events, backlog } = await live(trial, [watch, ...observers]);
    if (violation === undefined) return ended(undefined, hash, events, backlog);
    const { invariant, about, text, at } = violation;
    return ended({ breaks: invariant, about, text, at }, hash, events, backlog);
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error); // U1
    return ended({ breaks: 'error', about: '', text, at: latest }, '', 0, 0);
  }
}
