// Options: what `redis` is told, resolved once.

import type { ClusterNode, ClusterOptions, RedisOptions } from 'ioredis';
import { CarillonError } from '@carillon/core/spi';

/** Options of `redis`. */
export interface RedisLedgerOptions {
  /** One server, as `redis://user:password@host:port/db` or `rediss://…`. */
  readonly url?: string;
  /** What the client of each server is told: host and port, sentinels and name, user, password, TLS. */
  readonly client?: RedisOptions;
  /** Some nodes of a Cluster, by which the others are found. */
  readonly cluster?: readonly ClusterNode[];
  /** What the client of a Cluster is told beside `client`: retries, address maps. */
  readonly clusterClient?: ClusterOptions;
  /** Begins every key; apps and tenants that share a server have one each. Default `carillon`. */
  readonly prefix?: string;
  /** How long a call may take, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
}

/** The servers of a ledger. */
export type Server =
  | { readonly url: string | undefined; readonly options: RedisOptions }
  | { readonly cluster: readonly ClusterNode[]; readonly options: ClusterOptions };

/** Options as the ledger uses them. */
export interface ResolvedOptions {
  readonly server: Server;
  readonly prefix: string;
  readonly timeoutMs: number;
}

/** Fills in what was left out; throws `E_OPTIONS` for what means nothing. */
export function resolveOptions(options: RedisLedgerOptions): ResolvedOptions {
  const { url, client = {}, cluster, clusterClient = {}, prefix = 'carillon', timeoutMs = 5_000 } = options;
  if (/[{}]/.test(prefix)) {
    throw new CarillonError('E_OPTIONS', `The prefix ${JSON.stringify(prefix)} holds a brace.`, {
      next: 'Leave braces out: they decide on which server of a Cluster a key lives.',
    });
  }
  const server: Server =
    cluster === undefined
      ? { url, options: client }
      : { cluster, options: { ...clusterClient, redisOptions: { ...clusterClient.redisOptions, ...client } } };
  return { server, prefix, timeoutMs };
}
