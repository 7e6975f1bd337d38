// Grants: remembers which attempts the ledger has granted, and what the job looked like then.

import type { Instant, LedgerRecord } from '@carillon/core/spi';
import type { Observation, ObservedAttempt } from '../observation.js';

/** A grant: when it was, by the world's time, and the record as granted. */
interface Granted {
  readonly at: Instant;
  readonly record: LedgerRecord;
}

/** The grants of all jobs. */
export class Grants {
  readonly #jobs = new Map<string, Granted[]>();

  /** Takes an observation in. */
  watch(observation: Observation): void {
    if (observation.what !== 'record' || observation.change !== 'granted' || observation.key.kind !== 'job') return;
    const { at, key, after } = observation;
    const granted = { at, record: after! };
    const earlier = this.#jobs.get(key.id);
    if (earlier === undefined) this.#jobs.set(key.id, [granted]);
    else earlier.push(granted);
  }

  /** The grant that an attempt runs under, the latest if there were several; undefined if there was none. */
  of({ jobId, fence }: Pick<ObservedAttempt, 'jobId' | 'fence'>): Granted | undefined {
    return this.#jobs.get(jobId)?.findLast(({ record }) => record.fence === fence);
  }
}
