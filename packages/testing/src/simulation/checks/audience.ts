// Audience: who watches a run, each told only of what it hears.
//
// N1  Who does not say what it hears is told everything. All are told in the order in which they came.

import type { Observation, Observer } from '../observation.js';

/** What a kind of observation is called. */
export type What = Observation['what'];

/** Everybody who watches a run. */
export class Audience {
  readonly #watching: Record<What, Observer[]> = {
    record: [],
    forgotten: [],
    message: [],
    attempt: [],
    call: [],
    answer: [],
    request: [],
    event: [],
    host: [],
    fault: [],
    healed: [],
  };

  /** Lets somebody watch too. */
  add(watch: Observer, hears = Object.keys(this.#watching) as readonly What[]): void {
    for (const what of hears) this.#watching[what].push(watch);
  }

  /** Tells those who hear of it. */
  tell(observation: Observation): void {
    for (const watch of this.#watching[observation.what]) watch(observation);
  }
}
