// Connection: a client of a Redis, a Sentinel group or a Cluster, from its opening to its closing.
//
// C1  A script that the server has forgotten (a flush, a failover) is sent again by itself.
// C2  A call ends: with an answer, or with an error after `timeoutMs` at the latest. What was sent and not answered may be
//     sent again when the server is back; nonces make that harmless.

import { CarillonError } from '@carillon/core/spi';
import { Cluster, Redis } from 'ioredis';
import type { Server } from './options.js';
import type { Script } from './script.js';

/** A connection to the servers of one ledger. */
export class Connection {
  readonly #server: Server;
  readonly #timeoutMs: number;
  #client: Redis | Cluster | undefined;
  #opening: Promise<void> | undefined;

  constructor(server: Server, timeoutMs: number) {
    this.#server = server;
    this.#timeoutMs = timeoutMs;
  }

  /** Whether keys of different buckets may be on different servers. */
  get scattered(): boolean {
    return 'cluster' in this.#server;
  }

  /** The client of an open connection; throws `E_STOPPED` if it is closed. */
  get client(): Redis | Cluster {
    if (this.#client === undefined)
      throw new CarillonError('E_STOPPED', 'This ledger is closed.', { next: 'Open it again.' });
    return this.#client;
  }

  /** Connects; rejects if that fails. */
  open(): Promise<void> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Ends when what was asked for is answered. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#opening = undefined;
    if (client === undefined) return;
    await client.quit().catch(() => client.disconnect());
  }

  /** Runs a script on keys of one server, and answers its list. */
  async run(script: Script, keys: readonly Buffer[], args: readonly (Buffer | string | number)[]): Promise<unknown> {
    const { client } = this;
    try {
      return await client.callBuffer('EVALSHA', [script.sha, keys.length, ...keys, ...args]);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.callBuffer('EVAL', [script.source, keys.length, ...keys, ...args]); // C1
    }
  }

  async #connect(): Promise<void> {
    const client = this.#make();
    client.on('error', () => {}); // every call says so itself
    try {
      await client.connect();
      this.#client = client;
    } catch (error) {
      client.disconnect();
      throw error;
    }
  }

  #make(): Redis | Cluster {
    const server = this.#server;
    const common = { lazyConnect: true, enableOfflineQueue: false };
    const each = { ...common, commandTimeout: this.#timeoutMs, maxRetriesPerRequest: 1 };
    if ('cluster' in server) {
      const redisOptions = { ...server.options.redisOptions, ...each };
      return new Cluster([...server.cluster], { ...server.options, ...common, redisOptions });
    }
    const options = { ...server.options, ...each };
    return server.url === undefined ? new Redis(options) : new Redis(server.url, options);
  }
}
