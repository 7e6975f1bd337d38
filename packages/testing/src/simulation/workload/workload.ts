// Workload: makes the scenario of a plan. Everything in it is drawn from the plan's seed.

import type { Plan } from '../plan/plan.js';
import type { Scenario } from '../run.js';

/** How much of a workload is called. */
export interface Size {
  /** At most so many orders; by default as many as fit into the plan's hours. */
  readonly jobs?: number;
}

/** Makes the scenario of a plan; a smaller size has the same first orders. */
export type Workload = (plan: Plan, size?: Size) => Scenario;
