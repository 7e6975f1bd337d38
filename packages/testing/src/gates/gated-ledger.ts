// Gated ledger: a ledger whose calls a test can hold up, fail or count.

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
import { Gate } from './gate.js';

/** What can be gated on a ledger. */
export type LedgerCall = 'open' | 'close' | 'now' | 'acquire' | 'renew' | 'commit' | 'read' | 'due' | 'list';

/** Stands before a ledger; see `Gate` for the orders it takes. */
export class GatedLedger extends Gate<LedgerCall> implements Ledger {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    super();
    this.#ledger = ledger;
  }

  get partitioned(): boolean {
    return this.#ledger.partitioned;
  }
  get durability(): Ledger['durability'] {
    return this.#ledger.durability;
  }

  open(): Promise<void> {
    return this.pass('open', () => this.#ledger.open());
  }

  close(): Promise<void> {
    return this.pass('close', () => this.#ledger.close());
  }

  now(): Promise<Instant> {
    return this.pass('now', () => this.#ledger.now());
  }

  acquire(claims: readonly Claim[]): Promise<readonly ClaimAnswer[]> {
    return this.pass('acquire', () => this.#ledger.acquire(claims));
  }

  renew(renewals: readonly Renewal[]): Promise<readonly RenewalAnswer[]> {
    return this.pass('renew', () => this.#ledger.renew(renewals));
  }

  commit(changes: readonly Change[]): Promise<readonly ChangeAnswer[]> {
    return this.pass('commit', () => this.#ledger.commit(changes));
  }

  read(keys: readonly RecordKey[]): Promise<readonly (LedgerRecord | undefined)[]> {
    return this.pass('read', () => this.#ledger.read(keys));
  }

  due(query: DueQuery): Promise<Page> {
    return this.pass('due', () => this.#ledger.due(query));
  }

  list(query: ListQuery): Promise<Page> {
    return this.pass('list', () => this.#ledger.list(query));
  }
}
