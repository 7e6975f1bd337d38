// Redis ledger: the ledger port on a connection. Every call is requests to scripts, gathered with those of other calls.
//
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
import { CarillonError } from '@carillon/core/spi';
import { Acknowledged, isLost } from './acknowledged.js';
import type { Draft } from './batches.js';
import type { Connection } from './connection.js';
import { findDue } from './due.js';
import { RedisEffect } from './effects/redis-effect.js';
import { bucketOf, type KeyNames } from './key-names.js';
import { Lanes } from './lanes.js';
import { listPage } from './listing.js';
import type { ResolvedOptions } from './options.js';
import { isMark, unpackRecord } from './record-codec.js';
import { changeAnswer, claimAnswer, draftChange, draftClaim, draftRenewal, renewalAnswer } from './requests.js';
import { script } from './script.js';
import { ACQUIRE } from './scripts/acquire.js';
import { COMMIT } from './scripts/commit.js';
import { READ } from './scripts/read.js';
import { RENEW } from './scripts/renew.js';
import { Unreadable } from './unreadable.js';

const acquire = script(ACQUIRE);
const renew = script(RENEW, true);
const commit = script(COMMIT);
const commitHeld = script(COMMIT, true);
const read = script(READ);

/** A ledger in Redis. */
export class RedisLedger implements Ledger {
  readonly partitioned = true;
  readonly #connection: Connection;
  readonly #names: KeyNames;
  readonly #acquires: Lanes<Claim, ClaimAnswer>;
  readonly #renewals: Lanes<Renewal, RenewalAnswer>;
  readonly #commits: Lanes<Change, ChangeAnswer>;
  readonly #heldCommits: Lanes<Change, ChangeAnswer>;
  readonly #reads: Lanes<Buffer, Buffer>;
  readonly #unreadable: Unreadable;
  readonly #acknowledged = new Acknowledged();
  readonly #losses = new Set<(lost: readonly LostWrite[]) => void>();

  constructor(
    connection: Connection,
    names: KeyNames,
    { spread, onFinding }: Pick<ResolvedOptions, 'spread' | 'onFinding'>,
  ) {
    this.#unreadable = new Unreadable(onFinding);
    this.#connection = connection;
    this.#names = names;
    const bucket = ({ key }: { readonly key: RecordKey }): number => bucketOf(key.partition);
    const change = {
      draft: (draft: Draft, asked: Change) => draftChange(draft, names, asked, spread),
      isDurable: (asked: Change) => asked.durable,
      answer: (asked: Change, bytes: Buffer) => this.#answered(asked, changeAnswer(asked, bytes)),
      bucket: ({ writes }: Change) => bucket(writes[0]!),
    };
    this.#acquires = new Lanes<Claim, ClaimAnswer>(connection, {
      script: acquire,
      draft: (draft, claim) => draftClaim(draft, names, claim),
      isDurable: () => true,
      answer: claimAnswer,
      bucket,
    });
    this.#renewals = new Lanes<Renewal, RenewalAnswer>(connection, {
      script: renew,
      draft: (draft, renewal) => draftRenewal(draft, names, renewal),
      answer: (_, bytes) => renewalAnswer(bytes),
      bucket,
    });
    this.#commits = new Lanes(connection, { script: commit, ...change });
    this.#heldCommits = new Lanes(connection, { script: commitHeld, ...change });
    this.#reads = new Lanes(connection, {
      script: read,
      draft: ({ keys }, key) => void keys.push(key),
      answer: (_, bytes) => bytes,
      bucket: (key) => names.bucket(key),
    });
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

  acquire(claims: readonly Claim[]): Promise<readonly ClaimAnswer[]> {
    return this.#acquires.ask(claims);
  }

  renew(renewals: readonly Renewal[]): Promise<readonly RenewalAnswer[]> {
    return this.#renewals.ask(renewals);
  }

  commit(changes: readonly Change[]): Promise<readonly ChangeAnswer[]> {
    const lanes = changes.every(isHeld) ? this.#heldCommits : this.#commits;
    return changes.every(writesSomething) ? lanes.ask(changes) : this.#commitSome(lanes, changes);
  }

  async #commitSome(lanes: Lanes<Change, ChangeAnswer>, changes: readonly Change[]): Promise<readonly ChangeAnswer[]> {
    const answers = (await lanes.ask(changes.filter(writesSomething))).values();
    return changes.map((change) => (writesSomething(change) ? answers.next().value! : { answer: 'ok' }));
  }

  #answered(change: Change, answer: ChangeAnswer): ChangeAnswer {
    if (answer.answer === 'ok') this.#acknowledged.note(change); // R3
    return answer;
  }

  /** Tells of writes that were confirmed and that a failover or a restart has taken back (R3). */
  onLoss(listener: (lost: readonly LostWrite[]) => void): () => void {
    this.#losses.add(listener);
    return () => void this.#losses.delete(listener);
  }

  async #findLosses(): Promise<void> {
    const writes = this.#acknowledged.all();
    const found = await this.#reads.ask(writes.map(({ key }) => this.#names.record(key)));
    const now = await this.now();
    const lost = writes.filter((write, index) => isLost(write, found[index]!, now));
    this.#acknowledged.forget(lost);
    if (lost.length > 0) for (const listener of this.#losses) listener(lost);
  }

  async read(keys: readonly RecordKey[]): Promise<readonly (LedgerRecord | undefined)[]> {
    const packed = await this.#reads.ask(keys.map((key) => this.#names.record(key)));
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
    const packed = await this.#reads.ask(keys);
    return packed.map((bytes, index) => (bytes.length === 0 ? undefined : this.#listed(keys[index]!, bytes)));
  }

  /** A whole record; a mark is not listed. */
  #listed(key: Buffer, bytes: Buffer): LedgerRecord | undefined {
    try {
      return isMark(bytes) ? undefined : unpackRecord(undefined, bytes);
    } catch (error) {
      if (!CarillonError.is(error)) throw error;
      this.#unreadable.tell(key, error.message);
      return undefined;
    }
  }
}

/** Whether a change belongs to work that has begun (R2). */
function isHeld({ writes }: Change): boolean {
  return writes.length === 0 || writes.some((write) => write.do === 'sent' || 'fence' in write.expect);
}

function writesSomething({ writes }: Change): boolean {
  return writes.length > 0;
}

/** Whether a record that an index told of still wants attention: it may have moved since. */
function wants({ wakeAt, lease, queue }: LedgerRecord, { queues, before }: DueQuery): boolean {
  return wakeAt !== undefined && Math.max(wakeAt, lease?.until ?? 0) <= before && queues.includes(queue);
}
