// Store: the embedded store as one, where the record is the message, and as two halves, which is the way of a broker and
// a ledger: messages, outbox, sweep.

import { join } from 'node:path';
import type { Backend } from '@carillon/core';
import { embedded, embeddedLedger, embeddedTransport } from '@carillon/embedded';

/** How the store is used. */
export type Store = 'fused' | 'halves';

/** Where the halves stand in a folder. */
export const half = (folder: string, name: 'transport' | 'ledger'): string => join(folder, name);

/** The store in a folder, as a backend. */
export function backendOf(store: Store, folder: string): Backend {
  if (store === 'fused') return embedded(folder);
  return { transport: embeddedTransport(half(folder, 'transport')), ledger: embeddedLedger(half(folder, 'ledger')) };
}
