// Simulate: a user's own tasks and business code, lived through in simulated time, with faults, and judged.
//
// Q1  An option that means nothing is refused before anything runs: a class of faults that is misspelt must not pass as calm.
// Q2  A job or a schedule of a task that no engine runs is the caller's slip, and is not told as a broken invariant.
// Q3  A violation says by itself when it happened, with which seed and faults, and what led to it.

import type { JobState, ScheduleState, ScheduleView, TaskDefinition } from '@carillon/core';
import { CarillonError, type Instant, type LedgerRecord } from '@carillon/core/spi';
import { MONITORS } from './checks/monitors.js';
import { Recent } from './report/recent.js';
import type { Program } from './fleet/host.js';
import type { Shop } from './fleet/shop.js';
import type { Observer } from './observation.js';
import { FAULT_NAMES, type FaultName, type Faults, isRate } from './plan/faults.js';
import { MOST_ENGINES, MOST_HOURS, MOST_SEED, type Plan, planOf, type Shape } from './plan/plan.js';
import { run } from './run.js';

/** What to simulate. */
export interface SimulateOptions {
  /** The tasks that the engines run; a function of the machine if handlers wait in simulated time (`machine.sleep`), or if
   *  an old version of the program (`machine.version` 1) runs others than the new one. */
  readonly tasks: readonly TaskDefinition[] | Program;
  /** The business code. It calls the shop, waits by `shop.sleep`, and may go on for ever: it ends with the hours. */
  readonly drive: (shop: Shop) => Promise<void>;
  /** How long, in simulated hours. */
  readonly hours: number;
  /** `'drawn'` by the seed (the default), `'none'`, or a rate for each class that is switched on. */
  readonly faults?: 'drawn' | 'none' | Faults;
  /** When the simulation begins; default 2026-01-01T00:00Z. */
  readonly startsAt?: Date;
  /** Decides everything that is drawn; the same seed gives the same simulation. Default 1. */
  readonly seed?: number;
  /** How many engines run at once; default 2. */
  readonly engines?: number;
  /** What they run on; default `'fused'`, a store that is both ports, as the embedded one. */
  readonly shape?: Shape;
}

/** One attempt that was seen. */
export interface SimulatedAttempt {
  readonly jobId: string;
  readonly task: string;
  readonly payload: unknown;
  /** Which attempt of its job it was, from 1. */
  readonly number: number;
  readonly engine: string;
  /** Which slot of its schedule it was for; undefined if it is of no schedule. */
  readonly slot: Date | undefined;
  readonly dueAt: Date;
  readonly startedAt: Date;
  /** Undefined if its process crashed on the way, or it was still running at the end. */
  readonly endedAt: Date | undefined;
  readonly outcome: 'returned' | 'threw' | 'unfinished';
}

/** One job as it stood at the end. */
export interface SimulatedJob {
  readonly id: string;
  readonly task: string;
  readonly state: JobState;
  readonly key: string | undefined;
  readonly payload: unknown;
  readonly dueAt: Date;
  readonly reason: string | undefined;
}

/** One schedule as it stood at the end. */
export interface SimulatedSchedule {
  readonly id: string;
  readonly state: ScheduleState;
  /** How many occurrences were started, and how many slots were missed, by reason. */
  readonly counts: ScheduleView['counts'];
}

/** What a simulation came to. */
export interface Simulated {
  readonly plan: Plan;
  /** Every attempt, in the order of their starts. */
  readonly attempts: readonly SimulatedAttempt[];
  /** Every job that is still remembered, settled ones as long as they are kept. */
  readonly jobs: readonly SimulatedJob[];
  /** Every schedule that is still remembered. */
  readonly schedules: readonly SimulatedSchedule[];
  /** How often each class of faults happened. */
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
  /** How many jobs were overdue at the end because their task, or every engine, was at its limit. */
  readonly backlog: number;
}

/**
 * Runs tasks and business code for so many simulated hours under faults, heals all faults, and waits until everything that
 * is due has been done. Throws a `Violation` that tells its story (Q3) if an invariant broke on the way, what `drive` throws, and `E_OPTIONS` for an
 * option that means nothing (Q1) and for a job or a schedule of a task that no engine runs (Q2).
 */
export async function simulate(options: SimulateOptions): Promise<Simulated> {
  const { tasks, drive, hours, startsAt, faults = 'drawn', seed = 1, engines = 2, shape = 'fused' } = options;
  refuseNonsense({ hours, startsAt: startsAt?.getTime() ?? 0, seed, engines, shape, faults, drive });
  const drawn = planOf(seed, { hours, engines, shape });
  const plan = faults === 'drawn' ? drawn : { ...drawn, faults: faults === 'none' ? {} : faults };
  const runs = new Set<string>();
  const program: Program = (machine) => {
    const own = typeof tasks === 'function' ? tasks(machine) : tasks;
    for (const { task } of own) runs.add(task.name);
    return own;
  };
  const scenario = { program, drive, ...(startsAt && { startsAt: startsAt.getTime() }) };
  const seen = new Seen();
  const recent = new Recent();
  const { violation, records, backlog } = await run(plan, scenario, MONITORS, [seen.watch, recent.watch]);
  const schedules = records.filter(({ key }) => key.kind === 'schedule');
  if (violation !== undefined) {
    const isStrange = (task: string): boolean => !runs.has(task);
    refuseStranger([...seen.scheduled].find(isStrange), 'a job was scheduled');
    refuseStranger(schedules.map(taskOfSchedule).find(isStrange), 'a schedule was put');
    throw recent.explain(violation, plan); // Q3
  }
  return {
    plan,
    attempts: seen.attempts,
    jobs: records.filter(isJob).map(jobOf),
    schedules: schedules.map(scheduleOf),
    faults: seen.faults,
    backlog,
  };
}

/** Q2. */
function refuseStranger(task: string | undefined, what: string): void {
  if (task === undefined) return;
  const next = 'Implement it in tasks.';
  throw new CarillonError('E_OPTIONS', `No engine runs the task ${task}, of which ${what}.`, { next });
}

/** Q1. */
function refuseNonsense({
  hours,
  startsAt,
  seed,
  engines,
  shape,
  faults,
  drive,
}: Required<Omit<SimulateOptions, 'tasks' | 'startsAt'>> & { readonly startsAt: Instant }): void {
  const whole = (number: number, least: number, most: number): boolean =>
    Number.isInteger(number) && number >= least && number <= most;
  const asked: object = typeof faults === 'object' ? (faults ?? {}) : {};
  const known = FAULT_NAMES.join(', ');
  const slips: readonly (readonly [wrong: boolean, option: string, given: unknown, takes: string])[] = [
    [
      !(typeof hours === 'number' && hours > 0 && hours <= MOST_HOURS),
      'hours',
      hours,
      `a number above 0, at most ${MOST_HOURS}`,
    ],
    [!Number.isFinite(startsAt), 'startsAt', startsAt, 'a valid date'],
    [!whole(seed, 0, MOST_SEED), 'seed', seed, `a whole number from 0 to ${MOST_SEED}`],
    [!whole(engines, 1, MOST_ENGINES), 'engines', engines, `a whole number from 1 to ${MOST_ENGINES}`],
    [shape !== 'apart' && shape !== 'fused', 'shape', shape, 'apart or fused'],
    [typeof drive !== 'function', 'drive', drive, 'an async function of the shop'],
    [faults !== 'drawn' && faults !== 'none' && asked !== faults, 'faults', faults, 'drawn, none or rates'],
    ...Object.entries(asked).map(([name, rate]) => {
      const fault = FAULT_NAMES.find((one) => one === name);
      const takes = fault === undefined ? `classes of ${known}` : 'a rate from 0, of a chance at most 1';
      return [fault === undefined || !isRate(fault, rate), `faults.${name}`, rate, takes] as const;
    }),
  ];
  for (const [wrong, option, given, takes] of slips) {
    if (!wrong) continue;
    const next = `It takes ${takes}.`;
    throw new CarillonError('E_OPTIONS', `${option} of simulate is not understood: ${String(given)}.`, { next });
  }
}

class Seen {
  readonly attempts: SimulatedAttempt[] = [];
  readonly faults: Partial<Record<FaultName, number>> = {};
  /** The tasks of all jobs that were asked for. */
  readonly scheduled = new Set<string>();
  readonly #running = new Map<object, number>(); // attempt → its place in the list

  readonly watch: Observer = (observation) => {
    if (observation.what === 'fault') {
      this.faults[observation.fault] = (this.faults[observation.fault] ?? 0) + 1;
    } else if (observation.what === 'call') {
      if (observation.call.call === 'schedule') this.scheduled.add(observation.call.task);
    } else if (observation.what === 'attempt') {
      const { attempt, at, moment, host } = observation;
      const place = this.#running.get(attempt);
      if (place !== undefined && moment !== 'started') {
        this.attempts[place] = { ...this.attempts[place]!, endedAt: new Date(at), outcome: moment };
        this.#running.delete(attempt);
        return;
      }
      const { jobId, task, payload, number, dueAt, slot } = attempt;
      this.#running.set(attempt, this.attempts.length);
      this.attempts.push({
        jobId,
        task,
        payload,
        number,
        engine: host ?? '',
        slot: slot === undefined ? undefined : new Date(slot),
        dueAt: new Date(dueAt),
        startedAt: new Date(at),
        endedAt: undefined,
        outcome: 'unfinished',
      });
    }
  };
}

function isJob({ key }: LedgerRecord): boolean {
  return key.kind === 'job';
}

function jobOf({ key, task, state, dueAt, body }: LedgerRecord): SimulatedJob {
  const { payload, key: businessKey, reason } = JSON.parse(body) as Pick<SimulatedJob, 'payload' | 'key' | 'reason'>;
  return { id: key.id, task, state: state as JobState, key: businessKey, payload, dueAt: new Date(dueAt), reason };
}

function taskOfSchedule({ body }: LedgerRecord): string {
  const { plan } = JSON.parse(body) as { readonly plan: { readonly action: { readonly task: string } } };
  return plan.action.task;
}

function scheduleOf({ key, state, body }: LedgerRecord): SimulatedSchedule {
  const { counts } = JSON.parse(body) as Pick<SimulatedSchedule, 'counts'>;
  return { id: key.id, state: state as ScheduleState, counts };
}
