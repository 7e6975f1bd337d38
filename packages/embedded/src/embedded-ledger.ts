// Embedded ledger: the ledger port on a store. Every call is work for the store's writer, or a read.

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
import { applyChange } from './change.js';
import { acquire, renew } from './claim.js';
import { PHASE } from './group-commit.js';
import type { Handle } from './handle.js';
import { checkId } from './keys.js';
import { list, listDue } from './listing.js';
import type { Store } from './store.js';

const MOST_CHANGES = 500; // of one call in one transaction; they are independent of each other

/** A ledger in a folder. */
export class EmbeddedLedger implements Ledger {
  readonly durability: 'fsync' | 'async';
  readonly partitioned = false;
  readonly #handle: Handle;
  #looked = false;

  constructor(handle: Handle) {
    this.#handle = handle;
    this.durability = handle.durability;
  }

  async open(): Promise<void> {
    await this.#handle.open();
  }

  /** Ends when everything that was asked for is answered. */
  async close(): Promise<void> {
    await this.#handle.close();
  }

  async now(): Promise<Instant> {
    await this.#handle.store();
    return this.#handle.clock.now();
  }

  async acquire(claims: readonly Claim[]): Promise<readonly ClaimAnswer[]> {
    const { records, processes, writer, environment } = this.#handle.opened ?? (await this.#handle.store());
    for (const { key } of claims) checkId(key);
    const run = (): readonly ClaimAnswer[] => {
      const now = this.#handle.clock.now();
      const process = processes.own();
      return claims.map((claim) => acquire(records, claim, process, now));
    };
    const durable = claims.some(({ create }) => create !== undefined) && this.#syncs;
    const answers = await writer.request(PHASE.claim, claims.length, durable, run);
    const mustLast = answers.some((answer) => answer.answer === 'granted' && answer.record.durableGrant);
    if (mustLast && !durable && this.#syncs) await environment.sync();
    return answers;
  }

  async renew(renewals: readonly Renewal[]): Promise<readonly RenewalAnswer[]> {
    const { records, processes, writer } = this.#handle.opened ?? (await this.#handle.store());
    for (const { key } of renewals) checkId(key);
    const run = (): readonly RenewalAnswer[] => {
      const now = this.#handle.clock.now();
      const process = processes.own();
      return renewals.map((renewal) => renew(records, renewal, process, now));
    };
    return writer.request(PHASE.renew, renewals.length, false, run);
  }

  /** The hot path: neither `async` nor more closures than it needs. */
  commit(changes: readonly Change[]): Promise<readonly ChangeAnswer[]> {
    const store = this.#handle.opened;
    if (store === undefined) return this.#handle.store().then(() => this.commit(changes));
    try {
      for (let i = 0; i < changes.length; i += 1) checkChange(changes[i]!);
    } catch (error) {
      return Promise.reject(error);
    }
    if (changes.length <= MOST_CHANGES) return this.#commit(store, changes);
    const parts: Promise<readonly ChangeAnswer[]>[] = [];
    for (let from = 0; from < changes.length; from += MOST_CHANGES) {
      parts.push(this.#commit(store, changes.slice(from, from + MOST_CHANGES)));
    }
    return Promise.all(parts).then((answers) => answers.flat());
  }

  async read(keys: readonly RecordKey[]): Promise<readonly (LedgerRecord | undefined)[]> {
    const store = await this.#handle.store();
    if (!this.#looked) {
      store.look(); // it costs more than a record, and counts for all who have asked by now
      this.#looked = true;
      queueMicrotask(() => (this.#looked = false));
    }
    const now = this.#handle.clock.now();
    return keys.map((key) => store.records.read(key, now));
  }

  async due(query: DueQuery): Promise<Page> {
    const store = await this.#handle.store();
    store.look();
    return listDue(store.records, store.catalog, query, this.#handle.clock.now());
  }

  async list(query: ListQuery): Promise<Page> {
    const store = await this.#handle.store();
    store.look();
    return list(store.records, store.catalog, query, this.#handle.clock.now());
  }

  #commit({ records, writer }: Store, changes: readonly Change[]): Promise<readonly ChangeAnswer[]> {
    const durable = this.#syncs && changes.some((change) => change.durable);
    return writer.request(PHASE.commit, changes.length, durable, () => {
      const now = this.#handle.clock.now();
      return changes.map((change) => applyChange(records, change, now));
    });
  }

  get #syncs(): boolean {
    return this.durability === 'fsync';
  }
}

function checkChange({ writes }: Change): void {
  for (let i = 0; i < writes.length; i += 1) {
    const { key } = writes[i]!;
    if (key.partition !== writes[0]!.key.partition) {
      throw new TypeError('The writes of one change must be of one partition.');
    }
    checkId(key);
  }
}
