// Backend: the one place that says where the jobs of the replay live.

import type { Backend } from '@carillon/core';
import { embedded, embeddedLedger, embeddedTransport } from '@carillon/embedded';
import { redis } from '@carillon/redis-dedupe';
import { environmentCredentials, rocketmq } from '@carillon/rocketmq';

/** Where transport and ledger are; what has no server is in the embedded store. */
export interface BackendSetting {
  /** The folder of the embedded store. */
  readonly store: string;
  readonly rocketmq?: { readonly endpoint: string; readonly prefix: string };
  readonly redis?: { readonly url: string; readonly prefix: string };
}

/** The backend that the shop and the workers share. */
export function backend({ store, rocketmq: broker, redis: server }: BackendSetting): Backend {
  if (broker === undefined && server === undefined) return embedded(store);
  return {
    transport: broker === undefined ? embeddedTransport(store) : rocketmq({ ...broker, ...environmentCredentials() }),
    ledger: server === undefined ? embeddedLedger(store) : redis(server),
  };
}
