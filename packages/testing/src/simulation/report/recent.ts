// Recent: what a run has shown of late, so that a violation of which nobody knew beforehand can be told with its story.
//
// E1  What is kept is bounded, however long the run: the beginning of a story may be missing, and then it says so.

import { Violation } from '../checks/monitor.js';
import type { Observation, Observer } from '../observation.js';
import type { Plan } from '../plan/plan.js';
import { timeOf } from './plain-words.js';
import { faultsText } from './reproduction.js';
import { Story } from './story.js';

const KEPT = 40_000; // at least half of it

/** The latest observations of a run. */
export class Recent {
  #older: readonly Observation[] | undefined;
  #newer: Observation[] = [];
  #forgot = false;

  /** Takes an observation in. */
  readonly watch: Observer = (observation) => {
    if (observation.what === 'request' && observation.served) return; // it has no words
    this.#newer.push(observation);
    if (this.#newer.length < KEPT / 2) return;
    this.#forgot ||= this.#older !== undefined;
    this.#older = this.#newer;
    this.#newer = [];
  };

  /** The violation, with an account of it. */
  explain({ invariant, about, text, at }: Violation, { seed, faults }: Plan): Violation {
    const story = new Story(about);
    for (const observation of [...(this.#older ?? []), ...this.#newer]) story.watch(observation);
    const account = [
      `at ${timeOf(at)} of simulated time. The same options with seed: ${seed} show it again.`,
      `faults: ${faultsText(faults).replaceAll(',', ', ')}`,
      ...(this.#forgot ? ['what it knows of the last part of the run:'] : []), // E1
      ...story.told({ breaks: invariant, about, text, at }).map((line) => `  ${line}`),
    ];
    return new Violation(invariant, about, text, at, account);
  }
}
