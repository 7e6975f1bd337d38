// Store: the embedded store as one, where the record is the message, and as two halves, which is the way of a broker and
// a ledger: messages, outbox, sweep. With Redis the second half is the ledger there.

import { join } from 'node:path';
import type { Backend, Ledger } from '@carillon/core/spi';
import { embedded, embeddedLedger, embeddedTransport } from '@carillon/embedded';
import { redis } from '@carillon/redis-dedupe';

/** How the store is used. */
export type Store = 'fused' | 'halves' | 'redis';

/** Servers that have a part in it. */
export interface Servers {
  /** Where the ledger of the store `redis` is. */
  readonly redis?: { readonly url: string; readonly prefix: string };
  /** A connection string: where transactional effects are. */
  readonly postgres?: string;
}

/** Where a store is. */
export interface Place extends Servers {
  readonly store: Store;
  readonly folder: string;
}

/** Where the halves stand in a folder. */
const half = (folder: string, name: 'transport' | 'ledger'): string => join(folder, name);

/** Where the messages of a store that is not one are. */
export const messagesOf = ({ folder }: Place): string => half(folder, 'transport');

/** The ledger of a place. */
export function ledgerOf({ store, folder, redis: server }: Place): Ledger {
  if (store === 'redis') return redis(server);
  return embeddedLedger(store === 'fused' ? folder : half(folder, 'ledger'));
}

/** The store of a place, as a backend. */
export function backendOf(place: Place): Backend {
  if (place.store === 'fused') return embedded(place.folder);
  return { transport: embeddedTransport(messagesOf(place)), ledger: ledgerOf(place) };
}
