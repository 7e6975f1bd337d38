// Seeded ids: readable identities that are the same in every run.

import type { Ids } from '@carillon/core/spi';

/** Ids that count: `job-000001`, … (growing, as the port asks) and `nonce-1`, …; `prefix` tells two engines apart. */
export function seededIds(prefix = ''): Ids {
  let jobs = 0;
  let nonces = 0;
  return {
    job: () => `${prefix}job-${String((jobs += 1)).padStart(6, '0')}`,
    nonce: () => `${prefix}nonce-${(nonces += 1)}`,
  };
}
