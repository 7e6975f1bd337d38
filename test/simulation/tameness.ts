// Tameness: whether a suite that passed has proved too little, because some way out of trouble was never taken in it.
//
// T1  That is held against a suite only if it was large enough to expect all of them: `ENOUGH_SEEDS` and `ENOUGH_HOURS` of
//     the usual workload or of those of schedules, with everything drawn that a seed draws.

import { type Tally, tame, type TrialChoices } from '@carillon/testing/simulation';

const WORKLOADS = ['mixed', 'schedules', 'weeks'];
const ENOUGH_SEEDS = 50;
const ENOUGH_HOURS = 1_000;

/** Whether every way out of trouble had to be taken, and was not (T1). */
export function isTooTame(
  { workload, jobs, choices }: TrialChoices,
  { seeds, hours, rescues }: Pick<Tally, 'seeds' | 'hours' | 'rescues'>,
): boolean {
  const drawn =
    WORKLOADS.includes(workload) && jobs === Infinity && Object.keys(choices).every((name) => name === 'hours');
  return drawn && seeds >= ENOUGH_SEEDS && hours >= ENOUGH_HOURS && tame(rescues, workload).length > 0;
}
