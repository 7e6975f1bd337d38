// Redis: the ledger over a Redis, a Sentinel group, a Cluster, or a Valkey.

import { Connection } from './connection.js';
import { KeyNames } from './key-names.js';
import { type RedisLedgerOptions, resolveOptions } from './options.js';
import { RedisLedger } from './redis-ledger.js';

/** A ledger on Redis or Valkey, for a transport of another kind. It connects when the engine starts, or when it is opened. */
export function redis(options: RedisLedgerOptions = {}): RedisLedger {
  const resolved = resolveOptions(options);
  return new RedisLedger(new Connection(resolved), new KeyNames(resolved.prefix), resolved);
}
