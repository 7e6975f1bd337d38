// Redis ledger: the ledger port on a connection. Every call is requests to scripts, gathered with those of other calls.
//
// R1  What is asked of one bucket stays in its order; in a Cluster each bucket has batches of its own, elsewhere all share.
// R2  When memory is out nothing new begins, and what has begun goes on: renewals and what holders write are let through.
// R3  What was confirmed and is found lost when another server answers is told, once.

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
  LostWrite,
  Page,
  RecordKey,
  Renewal,
  RenewalAnswer,
} from '@carillon/core/spi';
import { Acknowledged, isLost } from './acknowledged.js';
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

const NOTHING = Buffer.alloc(0);

/** The batches of one script, by the bucket that they are of (R1). */
interface Lanes {
  readonly script: Script;
  readonly groups: Map<number, Batches>;
}

function lanesOf(script: Script): Lanes {
  return { script, groups: new Map() };
}

/** A ledger in Redis. */
export class RedisLedger implements Ledger {
  readonly partitioned = true;
  readonly #connection: Connection;
  readonly #names: KeyNames;
  readonly #spread: number;
  readonly #acquires = lanesOf(acquire);
  readonly #renewals = lanesOf(renew);
  readonly #commits = lanesOf(commit);
  readonly #heldCommits = lanesOf(commitHeld);
  readonly #reads = lanesOf(read);
  readonly #acknowledged = new Acknowledged();
  readonly #losses = new Set<(lost: readonly LostWrite[]) => void>();

  /** `spread`: over how many hashes per bucket packed marks are spread; 0 leaves them plain. */
  constructor(connection: Connection, names: KeyNames, spread: number) {
    this.#connection = connection;
    this.#names = names;
    this.#spread = spread;
    connection.onReplaced(() => this.#findLosses());
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
    const packed = await this.#ask(this.#acquires, (index) => bucketOf(claims[index]!.key.partition), requests);
    return packed.map((bytes, index) => claimAnswer(claims[index]!, bytes));
  }

  async renew(renewals: readonly Renewal[]): Promise<readonly RenewalAnswer[]> {
    const requests = renewals.map((renewal) => renewalRequest(this.#names, renewal));
    const packed = await this.#ask(this.#renewals, (index) => bucketOf(renewals[index]!.key.partition), requests);
    return packed.map(renewalAnswer);
  }

  async commit(changes: readonly Change[]): Promise<readonly ChangeAnswer[]> {
    const written = changes.filter(({ writes }) => writes.length > 0);
    const requests = written.map((change) => changeRequest(this.#names, change, this.#spread));
    const lanes = written.every(isHeld) ? this.#heldCommits : this.#commits;
    const packed = await this.#ask(lanes, (index) => bucketOf(written[index]!.writes[0]!.key.partition), requests);
    const answers = packed.map((bytes, index) => changeAnswer(written[index]!, bytes));
    for (let index = 0; index < answers.length; index += 1)
      if (answers[index]!.answer === 'ok') this.#acknowledged.note(written[index]!); // R3
    if (written.length === changes.length) return answers;
    const rest = answers.values();
    return changes.map(({ writes }) => (writes.length === 0 ? { answer: 'ok' } : rest.next().value!));
  }

  /** Tells of writes that were confirmed and that a failover or a restart has taken back (R3). */
  onLoss(listener: (lost: readonly LostWrite[]) => void): () => void {
    this.#losses.add(listener);
    return () => void this.#losses.delete(listener);
  }

  async #findLosses(): Promise<void> {
    const writes = this.#acknowledged.all();
    const found = await this.#read(writes.map(({ key }) => this.#names.record(key)));
    const now = await this.now();
    const lost = writes.filter((write, index) => isLost(write, found[index]!, now));
    this.#acknowledged.forget(lost);
    if (lost.length > 0) for (const listener of this.#losses) listener(lost);
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
    return packed.map(unlessUnreadable); // a mark is not listed, and one that can't be read hides no others
  }

  #read(keys: readonly Buffer[]): Promise<readonly Buffer[]> {
    const requests = keys.map((key) => ({ keys: [key], ask: NOTHING }));
    return this.#ask(this.#reads, (index) => this.#names.bucket(keys[index]!), requests);
  }

  /** Asks a script; each request is of one bucket (R1). */
  #ask(lanes: Lanes, bucketAt: (index: number) => number, requests: readonly Request[]): Promise<readonly Buffer[]> {
    void this.#connection.client; // throws if it is closed
    if (requests.length === 0) return Promise.resolve([]);
    if (!this.#connection.scattered) return this.#batchesOf(lanes, 0).ask(requests);
    return this.#askEach(lanes, bucketAt, requests);
  }

  async #askEach(
    lanes: Lanes,
    bucketAt: (index: number) => number,
    requests: readonly Request[],
  ): Promise<readonly Buffer[]> {
    const answers: Buffer[] = [];
    const indexes = [...requests.keys()];
    await Promise.all(
      Array.from(new Set(indexes.map(bucketAt)), async (bucket) => {
        const own = indexes.filter((index) => bucketAt(index) === bucket);
        const asked = await this.#batchesOf(lanes, bucket).ask(own.map((index) => requests[index]!));
        for (const [position, index] of own.entries()) answers[index] = asked[position]!;
      }),
    );
    return answers;
  }

  #batchesOf(lanes: Lanes, group: number): Batches {
    let batches = lanes.groups.get(group);
    if (batches === undefined) {
      batches = new Batches(async (requests) => {
        const keys: Buffer[] = [];
        for (const request of requests) keys.push(...request.keys);
        const asks = Buffer.concat(requests.map(({ ask }) => ask));
        const durable = requests.some((request) => request.durable === true);
        return (await this.#connection.run(lanes.script, keys, [asks], durable)) as Buffer[];
      });
      lanes.groups.set(group, batches);
    }
    return batches;
  }
}

function unlessUnreadable(bytes: Buffer): LedgerRecord | undefined {
  if (bytes[0] !== FORMAT) return undefined;
  try {
    return unpackRecord(undefined, bytes);
  } catch {
    return undefined;
  }
}

/** Whether a change belongs to work that has begun (R2). */
function isHeld({ writes }: Change): boolean {
  return writes.some((write) => write.do === 'sent' || 'fence' in write.expect);
}

/** Whether a record that an index told of still wants attention: it may have moved since. */
function wants({ wakeAt, lease, queue }: LedgerRecord, { queues, before }: DueQuery): boolean {
  return wakeAt !== undefined && Math.max(wakeAt, lease?.until ?? 0) <= before && queues.includes(queue);
}
