// Catalog: every bug that is planted in the engine to see the simulator catch it.

import { JOB_MUTANTS } from './job-mutants.js';
import type { Mutant } from './mutant.js';
import { RUNTIME_MUTANTS } from './runtime-mutants.js';
import { SCHEDULE_MUTANTS } from './schedule-mutants.js';

/** All mutants. */
export const MUTANTS: readonly Mutant[] = [...RUNTIME_MUTANTS, ...JOB_MUTANTS, ...SCHEDULE_MUTANTS];
