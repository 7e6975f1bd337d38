// The failure table on the embedded store, as one and as two halves.
//
// Rows that have no place here:
// - "Claim applied, reply lost, re-sent" and "ack lost" on the store as one: a claim is answered within the process that made
//   it, and the completion is the ack: one transaction, with no wire between them.
// - "Failover loses the claim", "failover loses the completion": an embedded store has no replica to fail over to.
// - The column "transactional": it is about where the effect is kept, and needs a database: test/e2e/redis-crash.

import { failureTable } from './failure-table.js';
import { policies } from './tasks.js';

for (const store of ['fused', 'halves'] as const) {
  for (const policy of policies) failureTable(store, policy);
}
