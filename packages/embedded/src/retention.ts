// Retention: removes settled records when their time is over, a few at a time.

import type { Instant } from '@carillon/core/spi';
import { PAIRING } from './catalog.js';
import type { Catalog } from './catalog.js';
import { keysIn } from './environment.js';
import { INDEXED_RECORD, bound } from './keys.js';
import type { Records } from './records.js';

/** Removes at most `limit` settled records whose retention has ended, and says how many. Inside of a transaction. */
export function removeExpired(records: Records, catalog: Catalog, now: Instant, limit: number): number {
  let removed = 0;
  for (const kind of catalog.firsts(PAIRING.settled)) {
    for (const state of catalog.partners(PAIRING.settled, kind)) {
      if (removed === limit) return removed;
      const range = {
        start: bound(kind, state),
        end: bound(kind, state, Math.floor(now) + 1),
        limit: limit - removed,
      };
      for (const key of keysIn(records.settled, range)) {
        records.expire(key, INDEXED_RECORD);
        removed += 1;
      }
    }
  }
  return removed;
}
