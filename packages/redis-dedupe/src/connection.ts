// Connection: a client of a Redis, a Sentinel group or a Cluster, from its opening to its closing.
//
// C1  A script that the server has forgotten (a flush, a failover) is sent again by itself.
// C2  A call ends: with an answer, or with an error after `timeoutMs` at the latest. What was sent and not answered may be
//     sent again when the server is back; nonces make that harmless.
// C3  What `strict` promises is waited for on the connection that wrote, and what was not confirmed in time is an error.

import type { Instant } from '@carillon/core/spi';
import { CarillonError } from '@carillon/core/spi';
import { Cluster, Redis } from 'ioredis';
import { canWaitForDisk, flushesAlways, judge, judgeTogether, type Seen } from './fitness.js';
import { Headroom } from './headroom.js';
import { look } from './look.js';
import type { ResolvedOptions } from './options.js';
import { Replacement } from './replacement.js';
import type { Script } from './script.js';

type Argument = Buffer | string | number;

/** A connection to the servers of one ledger. */
export class Connection {
  readonly #options: ResolvedOptions;
  readonly #headroom: Headroom;
  #client: Redis | Cluster | undefined;
  #opening: Promise<void> | undefined;
  #durability: 'fsync' | 'replicated' | 'async' = 'async';
  #waitsForDisk = false;
  #replacement: Replacement | undefined;
  #onReplaced: (() => Promise<void>) | undefined;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#headroom = new Headroom(options.onFinding);
  }

  /** Whether keys of different buckets may be on different servers. */
  get scattered(): boolean {
    return 'cluster' in this.#options.server;
  }

  /** What an answered, durable change survives, as seen at the opening. */
  get durability(): 'fsync' | 'replicated' | 'async' {
    return this.#durability;
  }

  /** Whether it has been opened and not closed. */
  get isOpen(): boolean {
    return this.#client !== undefined;
  }

  /** The client of an open connection; throws `E_STOPPED` if it is closed. */
  get client(): Redis | Cluster {
    if (this.#client === undefined)
      throw new CarillonError('E_STOPPED', 'This ledger is closed.', { next: 'Open it again.' });
    return this.#client;
  }

  /** Connects and looks at the servers; rejects if that fails, or with `E_STORE_UNFIT`. */
  open(): Promise<void> {
    this.#opening ??= this.#connect().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /** Calls when another server, or a restarted one, answers; again if that rejects. */
  onReplaced(look: () => Promise<void>): void {
    this.#onReplaced = look;
  }

  /** Ends when what was asked for is answered. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.#opening = undefined;
    if (client === undefined) return;
    this.#replacement?.end();
    await client.quit().catch(() => client.disconnect());
  }

  /** The time of the servers. */
  async now(): Promise<Instant> {
    const { clock } = this.#options;
    const { client } = this;
    if (clock !== undefined) return clock.now();
    const [seconds, micros] = await client.time();
    return Math.floor(Number(seconds) * 1000 + Number(micros) / 1000);
  }

  /** Tells of servers whose memory is filling up. */
  async lookAtMemory(): Promise<void> {
    await this.#headroom.look(mastersOf(this.client));
  }

  /** Runs a script on keys of one server; a `durable` one is answered when what it wrote is as safe as `strict` says. */
  async run(script: Script, keys: readonly Buffer[], args: readonly Argument[], durable = false): Promise<unknown> {
    const { clock } = this.#options;
    const { source, sha } = clock === undefined ? script : script.inGivenTime;
    const parts: Argument[] = [sha, keys.length, ...keys, ...args];
    if (clock !== undefined) parts.push(clock.now());
    const waits = durable && this.#waits;
    try {
      return await this.#perform('EVALSHA', parts, waits);
    } catch (error) {
      if (!isForgotten(error)) throw explained(error);
    }
    parts[0] = source;
    return this.#perform('EVAL', parts, waits).catch((error: unknown) => {
      throw explained(error);
    }); // C1
  }

  /** Whether a durable change is not safe yet when it is answered. */
  get #waits(): boolean {
    const { strict } = this.#options;
    return strict !== undefined && !this.scattered && (this.#waitsForDisk || strict.replicas > 0);
  }

  #perform(command: string, args: Argument[], waits: boolean): Promise<unknown> {
    return waits ? this.#performAndWait(command, args) : this.client.callBuffer(command, args);
  }

  async #performAndWait(command: string, args: Argument[]): Promise<unknown> {
    const client = this.client as Redis;
    const { strict, timeoutMs } = this.#options;
    const replicas = strict!.replicas;
    const patienceMs = Math.ceil(timeoutMs / 4); // also where the script must be sent again behind the first wait
    const answer = client.callBuffer(command, args);
    const confirmed = this.#waitsForDisk
      ? client.call('WAITAOF', 1, replicas, patienceMs)
      : client.wait(replicas, patienceMs).then((reached) => [1, reached]);
    const [answered, wait] = await Promise.all([answer, confirmed]);
    const [onDisk, reached] = wait as [number, number];
    if (onDisk < 1 || reached < replicas) throw unsynced(onDisk, reached, replicas); // C3
    return answered;
  }

  async #connect(): Promise<void> {
    const client = this.#make();
    let heard: unknown;
    client.on('error', (error) => (heard = error)); // every call says so itself
    try {
      await inTime(client.connect(), this.#options.timeoutMs, () => heard);
      await this.#check(client);
      this.#replacement = new Replacement(client, async () => this.#onReplaced?.());
      await this.#replacement.begin();
      this.#client = client;
    } catch (error) {
      client.disconnect();
      throw error;
    }
  }

  async #check(client: Redis | Cluster): Promise<void> {
    const { strict, accept, onFinding } = this.#options;
    const seen = await Promise.all(mastersOf(client).map((node) => look(node, client instanceof Cluster)));
    const findings = [...seen.flatMap((one) => judge(one, strict, accept)), ...judgeTogether(seen)];
    for (const finding of findings) if (!finding.refused) onFinding(finding);
    const refused = findings.filter((finding) => finding.refused);
    if (refused.length > 0) {
      const message = `The server can't keep a ledger. ${refused.map((finding) => finding.message).join(' ')}`;
      throw new CarillonError('E_STORE_UNFIT', message, { next: refused.map((finding) => finding.next).join(' ') });
    }
    await this.#headroom.look(mastersOf(client));
    this.#waitsForDisk = strict !== undefined && seen.every((one) => !flushesAlways(one) && canWaitForDisk(one));
    this.#durability = durabilityOf(seen, strict !== undefined, strict?.replicas ?? 0);
  }

  #make(): Redis | Cluster {
    const { server, timeoutMs } = this.#options;
    const common = { lazyConnect: true, enableOfflineQueue: false };
    const reconnectOnError = (error: Error) => (error.message.startsWith('READONLY') ? 2 : false); // a failover
    const patience = { commandTimeout: timeoutMs, socketTimeout: 2 * timeoutMs, maxRetriesPerRequest: 1 };
    const each = { ...common, ...patience, reconnectOnError };
    if ('cluster' in server) {
      const redisOptions = { ...server.options.redisOptions, ...each };
      return new Cluster([...server.cluster], { ...server.options, ...common, redisOptions });
    }
    const options = { ...server.options, ...each };
    return server.url === undefined ? new Redis(options) : new Redis(server.url, options);
  }
}

function mastersOf(client: Redis | Cluster): readonly Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

function durabilityOf(seen: readonly Seen[], strict: boolean, replicas: number): 'fsync' | 'replicated' | 'async' {
  if (strict && replicas > 0) return 'replicated';
  return strict || seen.every(flushesAlways) ? 'fsync' : 'async';
}

/** What a client that would try for ever has answered by then; else it rejects, with what the client last complained of. */
async function inTime<T>(asked: Promise<T>, timeoutMs: number, heard: () => unknown): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `No Redis could be opened within ${timeoutMs} ms.`;
    timer = setTimeout(() => reject(new Error(message, { cause: heard() })), timeoutMs);
  });
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}

function isForgotten(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

function unsynced(onDisk: number, reached: number, replicas: number): CarillonError {
  const message = `The write is on ${onDisk === 1 ? 'the disk' : 'no disk'} and on ${reached} of ${replicas} replicas.`;
  return new CarillonError('E_STORE_UNSYNCED', message, {
    next: 'It is asked again, which is harmless; see to the disk and the replicas if that goes on.',
  });
}

/** An error that says what to do where it is known. */
function explained(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.startsWith('OOM')) return error;
  return new CarillonError('E_STORE_FULL', 'The memory of Redis is full, so nothing new is taken.', {
    next: 'Raise maxmemory or remove what else it keeps; work that has begun goes on and is recorded.',
    cause: error,
  });
}
