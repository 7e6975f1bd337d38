// Backend: the pair of ports that an engine runs on.

import type { Ledger } from './ledger.js';
import type { Transport } from './transport.js';

/** What an engine runs on. `fused`: both ports are one store, where the record is the message and none is sent. */
export interface Backend {
  readonly transport: Transport;
  readonly ledger: Ledger;
  readonly fused?: boolean;
}
