// For who drives whole suites of simulations: trials from seeds, their outcomes, stories and smallest forms.

export { rescuesOf, tame } from './checks/rescues.js';
export type { MonitorMaker } from './checks/monitor.js';
export { FAULT_NAMES } from './plan/faults.js';
export { inWords, textOf } from './report/plain-words.js';
export { faultsText, reproductionOf, seedOf, trialChoicesOf, trialOf, wholeNumber } from './report/reproduction.js';
export type { Trial, TrialChoices } from './report/reproduction.js';
export { Story } from './report/story.js';
export { run } from './run.js';
export { shrink } from './shrink.js';
export type { Shrunk } from './shrink.js';
export { liveBuiltIn, outcomeOf, Tally } from './suite.js';
export type { Live, Outcome } from './suite.js';
export { WORKLOADS } from './workload/workloads.js';
