// Redis ledger: the ledger port on a connection. Every call is requests to scripts, gathered with those of other calls.
//
// R1  What is asked of one bucket stays in its order; in a Cluster each bucket has batches of its own, elsewhere all share.
// R2  When memory is out nothing new begins, and what has begun goes on: renewals and what holders write are let through.

import type {
  Change,
  ChangeAnswer,
  Claim,
  ClaimAnswer,
  DueQuery,
  Instant,
  Ledger,
  LedgerRecord,
  ListQuery,
  Page,
  RecordKey,
  Renewal,
  RenewalAnswer,
} from '@carillon/core/spi';
import { Batches, type Request } from './batches.js';
import type { Connection } from './connection.js';
import { findDue } from './due.js';
import { RedisEffect } from './effects/redis-effect.js';
import { bucketOf, type KeyNames } from './key-names.js';
import { listPage } from './listing.js';
import { unpackRecord } from './record-codec.js';
import { changeAnswer, changeRequest, claimAnswer, claimRequest, renewalAnswer, renewalRequest } from './requests.js';
import { type Script, script } from './script.js';
import { ACQUIRE } from './scripts/acquire.js';
import { COMMIT } from './scripts/commit.js';
import { READ } from './scripts/read.js';
import { FORMAT } from './scripts/record.js';
import { RENEW } from './scripts/renew.js';

const acquire = script(ACQUIRE);
const renew = script(RENEW, true);
const commit = script(COMMIT);
const commitHeld = script(COMMIT, true);
const read = script(READ);

const NO_KEY: RecordKey = { kind: '', id: '', partition: '' }; // a whole record tells its own

/** A ledger in Redis. */
export class RedisLedger implements Ledger {
  readonly partitioned = true;
  readonly #connection: Connection;
  readonly #names: KeyNames;
  readonly #spread: number;
  readonly #batches = new Map<string, Batches>();

  /** `spread`: over how many hashes per bucket packed marks are spread; 0 leaves them plain. */
  constructor(connection: Connection, names: KeyNames, spread: number) {
    this.#connection = connection;
    this.#names = names;
    this.#spread = spread;
  }

  /** Known once it is open. */
  get durability(): 'fsync' | 'replicated' | 'async' {
    return this.#connection.durability;
  }

  async open(): Promise<void> {
    await this.#connection.open();
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async now(): Promise<Instant> {
    return this.#connection.now();
  }

  /** Takes what `redisEffect` makes, unless keys of different buckets may be on different servers. */
  takesEffect(effect: unknown): boolean {
    return effect instanceof RedisEffect && !this.#connection.scattered;
  }

  async acquire(claims: readonly Claim[]): Promise<readonly ClaimAnswer[]> {
    const requests = claims.map((claim) => claimRequest(this.#names, claim));
    const packed = await this.#ask(acquire, claims.map(bucketOfKey), requests);
    return packed.map((bytes, index) => claimAnswer(claims[index]!, bytes));
  }

  async renew(renewals: readonly Renewal[]): Promise<readonly RenewalAnswer[]> {
    const requests = renewals.map((renewal) => renewalRequest(this.#names, renewal));
    return (await this.#ask(renew, renewals.map(bucketOfKey), requests)).map(renewalAnswer);
  }

  async commit(changes: readonly Change[]): Promise<readonly ChangeAnswer[]> {
    const written = changes.filter(({ writes }) => writes.length > 0);
    const requests = written.map((change) => changeRequest(this.#names, change, this.#spread));
    const packed = (
      await this.#ask(written.every(isHeld) ? commitHeld : commit, written.map(bucketOfChange), requests)
    ).values();
    return changes.map((change) =>
      change.writes.length === 0 ? { answer: 'ok' } : changeAnswer(change, packed.next().value!),
    );
  }

  async read(keys: readonly RecordKey[]): Promise<readonly (LedgerRecord | undefined)[]> {
    const packed = await this.#read(keys.map((key) => this.#names.record(key)));
    return packed.map((bytes, index) => {
      const { kind, id, partition } = keys[index]!;
      return bytes.length === 0 ? undefined : unpackRecord({ kind, id, partition }, bytes);
    });
  }

  async due(query: DueQuery): Promise<Page> {
    const { keys, cursor } = await findDue(this.#connection, this.#names, query);
    const records = (await this.#readListed(keys)).flatMap((record) =>
      record && wants(record, query) ? [record] : [],
    );
    return { records, ...(cursor !== undefined && { cursor }) };
  }

  async list(query: ListQuery): Promise<Page> {
    return listPage(this.#connection, this.#names, (keys) => this.#readListed(keys), query);
  }

  async #readListed(keys: readonly Buffer[]): Promise<readonly (LedgerRecord | undefined)[]> {
    const packed = await this.#read(keys);
    return packed.map((bytes) => (bytes[0] === FORMAT ? unpackRecord(NO_KEY, bytes) : undefined)); // a mark is not listed
  }

  #read(keys: readonly Buffer[]): Promise<readonly Buffer[]> {
    const requests = keys.map((key) => ({ keys: [key], args: [] }));
    const buckets = keys.map((key) => this.#names.bucket(key));
    return this.#ask(read, buckets, requests);
  }

  /** Asks a script; each request is of one bucket (R1). */
  async #ask(script: Script, buckets: readonly number[], requests: readonly Request[]): Promise<readonly Buffer[]> {
    void this.#connection.client; // throws if it is closed
    if (requests.length === 0) return [];
    if (!this.#connection.scattered) return this.#batchesOf(script, 0).ask(requests);
    const answers: Buffer[] = [];
    await Promise.all(
      Array.from(new Set(buckets), async (bucket) => {
        const indexes = [...requests.keys()].filter((index) => buckets[index] === bucket);
        const asked = await this.#batchesOf(script, bucket).ask(indexes.map((index) => requests[index]!));
        for (const [position, index] of indexes.entries()) answers[index] = asked[position]!;
      }),
    );
    return answers;
  }

  #batchesOf(script: Script, group: number): Batches {
    const name = `${script.sha}${group}`;
    let batches = this.#batches.get(name);
    if (batches === undefined) {
      batches = new Batches(async (requests) => {
        const keys = requests.flatMap((request) => request.keys);
        const args = requests.flatMap((request) => request.args);
        const durable = requests.some((request) => request.durable === true);
        return (await this.#connection.run(script, keys, args, durable)) as Buffer[];
      });
      this.#batches.set(name, batches);
    }
    return batches;
  }
}

function bucketOfKey({ key }: { readonly key: RecordKey }): number {
  return bucketOf(key.partition);
}

function bucketOfChange({ writes }: Change): number {
  return bucketOf(writes[0]!.key.partition);
}

/** Whether a change belongs to work that has begun (R2). */
function isHeld({ writes }: Change): boolean {
  return writes.some((write) => write.do === 'sent' || 'fence' in write.expect);
}

/** Whether a record that an index told of still wants attention: it may have moved since. */
function wants({ wakeAt, lease, queue }: LedgerRecord, { queues, before }: DueQuery): boolean {
  return wakeAt !== undefined && Math.max(wakeAt, lease?.until ?? 0) <= before && queues.includes(queue);
}
