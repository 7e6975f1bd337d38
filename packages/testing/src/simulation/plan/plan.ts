// Plan: everything that decides one run: the seed, the machines, the faults. A run is a function of its plan.

import { streamOf, drawFaults, type Faults } from './faults.js';

/** What an engine runs on: a broker and a ledger apart from each other, or both in one store. */
export type Shape = 'apart' | 'fused';

/** One run. */
export interface Plan {
  readonly seed: number;
  readonly hours: number;
  /** How many engines run at once. */
  readonly engines: number;
  readonly shape: Shape;
  /** How coarse the broker's delivery times are; 0 for the millisecond. */
  readonly precisionMs: number;
  /** How far ahead the broker takes messages. */
  readonly horizonMs: number;
  readonly faults: Faults;
}

/** What may be fixed before a seed decides the rest. */
export type PlanChoices = Partial<Omit<Plan, 'seed'>>;

/** The largest seed, length and fleet that a plan takes. */
export const MOST_SEED: number = 2 ** 32 - 1;
export const MOST_HOURS = 100_000;
export const MOST_ENGINES = 64;

const HOUR_MS = 3_600_000;

/** The plan of a seed; what is chosen is kept, and does not change what is drawn. */
export function planOf(seed: number, choices: PlanChoices = {}): Plan {
  const random = streamOf(seed, 'plan');
  const engines = 1 + Math.floor(random.next() * 4);
  const shape: Shape = random.next() < 0.25 ? 'fused' : 'apart';
  const coarse = random.next() < 0.6; // a broker like RocketMQ: slots of a second, a day at most
  const drawn: Plan = {
    seed,
    hours: 24,
    engines,
    shape,
    precisionMs: coarse ? 1000 : 0,
    horizonMs: coarse ? 20 * HOUR_MS : [10 * 60_000, HOUR_MS, Infinity][Math.floor(random.next() * 3)]!,
    faults: drawFaults(streamOf(seed, 'faults')),
  };
  return { ...drawn, ...choices };
}
