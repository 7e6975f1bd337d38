// Grants: remembers which attempts the ledger has granted, and what the job looked like then.

import type { Instant, LedgerRecord } from '@carillon/core/spi';
import type { Observation, ObservedAttempt } from '../observation.js';

/** A grant: when it was, by the world's time, and the record as granted. */
export interface Granted {
  readonly at: Instant;
  readonly record: LedgerRecord;
}

/** The grants of all jobs. */
export class Grants {
  readonly #jobs = new Map<string, Map<number, Granted>>();

  /** Takes an observation in. */
  watch(observation: Observation): void {
    if (observation.what !== 'record' || observation.change !== 'granted' || observation.key.kind !== 'job') return;
    const { at, key, after } = observation;
    let granted = this.#jobs.get(key.id);
    if (granted === undefined) this.#jobs.set(key.id, (granted = new Map()));
    granted.set(after!.fence, { at, record: after! });
  }

  /** The grant that an attempt runs under; undefined if there was none. */
  of({ jobId, fence }: Pick<ObservedAttempt, 'jobId' | 'fence'>): Granted | undefined {
    return this.#jobs.get(jobId)?.get(fence);
  }

  /** How often a job has been granted. */
  count(jobId: string): number {
    return this.#jobs.get(jobId)?.size ?? 0;
  }
}
