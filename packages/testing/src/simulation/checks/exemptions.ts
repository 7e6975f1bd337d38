// Exemptions: which records the ledger has forgotten acknowledged writes of, so that the monitors hold nobody to them.
//
// E1  Exempt is what was told as forgotten, record by record, and nothing else. Design §6 exempts these from I2, I4 and I10.

import type { Instant } from '@carillon/core/spi';
import type { Observation } from '../observation.js';

/** What a ledger has forgotten in a run. */
export class Exemptions {
  readonly #jobs = new Map<string, Instant>();
  readonly #names = new Set<string>();
  readonly #pointers = new Set<string>();

  /** How many jobs a write was forgotten of. */
  get count(): number {
    return this.#jobs.size;
  }

  /** Takes an observation in. */
  watch(observation: Observation): void {
    if (observation.what !== 'forgotten') return;
    const { kind, id } = observation.key;
    if (kind === 'job') this.#jobs.set(id, observation.at);
    if (kind === 'key') this.#pointers.add(id);
    else this.#names.add(id);
  }

  /** Whether a write of this job's record was forgotten. */
  has(id: string): boolean {
    return this.#jobs.has(id);
  }

  /** When a write of this job's record was forgotten last. */
  at(id: string): Instant | undefined {
    return this.#jobs.get(id);
  }

  /** Whether anything was forgotten by which an id is recognised: its job, its alias, its answer. */
  hasName(id: string): boolean {
    return this.#names.has(id);
  }

  /** Whether it was forgotten which job stands under a task's key. */
  hasKey(task: string, key: string): boolean {
    return this.#pointers.has(`${task}/${key}`);
  }
}
