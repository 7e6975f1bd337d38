// Simulate: a user's own tasks and business code, lived through in simulated time, with faults, and judged.

import type { JobState, TaskDefinition } from '@carillon/core';
import type { LedgerRecord } from '@carillon/core/spi';
import { MONITORS } from './checks/monitors.js';
import type { Program } from './fleet/fleet.js';
import type { Shop } from './fleet/shop.js';
import type { Observer } from './observation.js';
import type { FaultName, Faults } from './plan/faults.js';
import { type Plan, planOf, type Shape } from './plan/plan.js';
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

/** What a simulation came to. */
export interface Simulated {
  readonly plan: Plan;
  /** Every attempt, in the order of their starts. */
  readonly attempts: readonly SimulatedAttempt[];
  /** Every job that is still remembered, settled ones as long as they are kept. */
  readonly jobs: readonly SimulatedJob[];
  /** How often each class of faults happened. */
  readonly faults: Readonly<Partial<Record<FaultName, number>>>;
}

/**
 * Runs tasks and business code for so many simulated hours under faults, heals all faults, and waits until everything that
 * is due has been done. Throws a `Violation` if an invariant broke on the way, and what `drive` throws.
 */
export async function simulate(options: SimulateOptions): Promise<Simulated> {
  const { tasks, drive, hours, startsAt, faults = 'drawn', seed = 1, engines = 2, shape = 'fused' } = options;
  const drawn = planOf(seed, { hours, engines, shape });
  const plan = faults === 'drawn' ? drawn : { ...drawn, faults: faults === 'none' ? {} : faults };
  const program: Program = typeof tasks === 'function' ? tasks : () => tasks;
  const scenario = { program, drive, ...(startsAt && { startsAt: startsAt.getTime() }) };
  const seen = new Seen();
  const { violation, records } = await run(plan, scenario, MONITORS, [seen.watch]);
  if (violation !== undefined) throw violation;
  return { plan, attempts: seen.attempts, jobs: records.filter(isJob).map(jobOf), faults: seen.faults };
}

class Seen {
  readonly attempts: SimulatedAttempt[] = [];
  readonly faults: Partial<Record<FaultName, number>> = {};
  readonly #running = new Map<object, number>(); // attempt → its place in the list

  readonly watch: Observer = (observation) => {
    if (observation.what === 'fault') {
      this.faults[observation.fault] = (this.faults[observation.fault] ?? 0) + 1;
    } else if (observation.what === 'attempt') {
      const { attempt, at, moment, host } = observation;
      const place = this.#running.get(attempt);
      if (place !== undefined && moment !== 'started') {
        this.attempts[place] = { ...this.attempts[place]!, endedAt: new Date(at), outcome: moment };
        this.#running.delete(attempt);
        return;
      }
      const { jobId, task, payload, number, dueAt } = attempt;
      this.#running.set(attempt, this.attempts.length);
      this.attempts.push({
        jobId,
        task,
        payload,
        number,
        engine: host ?? '',
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
