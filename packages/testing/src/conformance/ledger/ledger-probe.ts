// Ledger probe: one record at a time, so that a test reads as what it tests.

import { expect } from 'vitest';
import type {
  ChangeAnswer,
  Claim,
  ClaimAnswer,
  Expectation,
  Grant,
  Instant,
  Ledger,
  LedgerRecord,
  OutboxEntry,
  Page,
  RecordContent,
  RecordKey,
  RenewalAnswer,
  Write,
} from '@carillon/core/spi';
import type { Closeable } from '../suite.js';

/** A fresh ledger, and the time that it lives in. */
export interface LedgerFixture extends Closeable {
  /** Open and empty. */
  readonly ledger: Ledger;
  /** Lets the ledger's clock move on by at least so many ms: in virtual time at once, else by waiting. */
  readonly advance: (ms: number) => Promise<void>;
  /** Opens another handle on the same store, as another process would; tests that need one are skipped without it. */
  readonly second?: () => Promise<Ledger>;
}

/** What a test of a ledger works with. */
export interface ProbedLedger extends LedgerFixture {
  readonly probe: LedgerProbe;
}

/** The lease that tests ask for, and wait out: long enough for a slow machine, short enough for real time. */
export const LEASE_MS = 1000;

/** Far enough ahead to be never reached in a test. */
export const FAR_MS = 24 * 60 * 60 * 1000;

/** A job's key, in a partition of its own. */
export function jobKey(id: string, partition = id): RecordKey {
  return { kind: 'job', id, partition };
}

/** An outbox entry for a message of a few bytes. */
export function outboxEntry(id: string, wakeAt: Instant, body: Uint8Array = new Uint8Array([1, 2, 3])): OutboxEntry {
  return { message: { id, queue: 'default', body, deliverAt: wakeAt }, wakeAt };
}

/** What a holder asks of its record: that it is as it was granted. */
export function asGranted({ record, fence }: Grant): { readonly version: number; readonly fence: number } {
  return { version: record.version, fence };
}

/** Speaks to a ledger in single calls, with a new nonce for each unless one is given. */
export class LedgerProbe {
  readonly ledger: Ledger;
  /** The ledger's time when the test began. */
  readonly start: Instant;
  static #nonces = 0;

  constructor(ledger: Ledger, start: Instant) {
    this.ledger = ledger;
    this.start = start;
  }

  /** A probe of another handle on the same store. */
  through(ledger: Ledger): LedgerProbe {
    return new LedgerProbe(ledger, this.start);
  }

  nonce(): string {
    LedgerProbe.#nonces += 1;
    return `nonce-${LedgerProbe.#nonces}`;
  }

  /** An open job that has been due for a second, unless `over` says otherwise. */
  content(over: Partial<RecordContent> = {}): RecordContent {
    return {
      generation: 1,
      queue: 'default',
      task: 'send-mail',
      state: 'scheduled',
      dueAt: this.start - 1000,
      wakeAt: this.start - 1000,
      expiresAt: undefined,
      durableGrant: false,
      body: '{"to":"ada"}',
      outbox: [],
      ...over,
    };
  }

  /** Content of a job that is over. */
  settled(over: Partial<RecordContent> = {}): RecordContent {
    return this.content({ state: 'completed', wakeAt: undefined, ...over });
  }

  async commit(writes: readonly Write[], nonce = this.nonce()): Promise<ChangeAnswer> {
    const answers = await this.ledger.commit([{ nonce, writes, durable: true }]);
    expect(answers).toHaveLength(1);
    return answers[0]!;
  }

  /** Commits one put of a job. */
  put(id: string, expect: Expectation, content = this.content(), nonce = this.nonce()): Promise<ChangeAnswer> {
    return this.commit([{ do: 'put', key: jobKey(id), expect, content }], nonce);
  }

  /** Places a job that is not there yet, and returns it as it is read. */
  async place(id: string, over: Partial<RecordContent> = {}): Promise<LedgerRecord> {
    expect(await this.put(id, { absent: true }, this.content(over))).toEqual({ answer: 'ok' });
    return this.demand(id);
  }

  /** Places a job and claims it. */
  async placeAndGrant(id: string, claim: Partial<Claim> = {}, over: Partial<RecordContent> = {}): Promise<Grant> {
    await this.place(id, over);
    return this.grant(id, claim);
  }

  async claim(id: string, over: Partial<Claim> = {}): Promise<ClaimAnswer> {
    const claim = {
      key: jobKey(id),
      generation: 1,
      holder: 'engine-a',
      leaseMs: LEASE_MS,
      nonce: this.nonce(),
      ...over,
    };
    const answers = await this.ledger.acquire([claim]);
    expect(answers).toHaveLength(1);
    return answers[0]!;
  }

  /** Claims a job, and fails the test unless it is granted. */
  async grant(id: string, over: Partial<Claim> = {}): Promise<Grant> {
    const answer = await this.claim(id, over);
    if (answer.answer !== 'granted')
      throw new Error(`The claim on ${id} was expected to be granted, not ${answer.answer}.`);
    return answer;
  }

  async renew(id: string, fence: number, leaseMs = LEASE_MS): Promise<RenewalAnswer> {
    const answers = await this.ledger.renew([{ key: jobKey(id), fence, leaseMs }]);
    expect(answers).toHaveLength(1);
    return answers[0]!;
  }

  async read(id: string): Promise<LedgerRecord | undefined> {
    const records = await this.ledger.read([jobKey(id)]);
    expect(records).toHaveLength(1);
    return records[0];
  }

  /** Reads a job that must be there. */
  async demand(id: string): Promise<LedgerRecord> {
    const record = await this.read(id);
    if (record === undefined) throw new Error(`The record ${id} was expected to be there.`);
    return record;
  }

  /** The ids of what is due in a queue, in the order of the answer. */
  async dueIds(before: Instant, ...queues: readonly string[]): Promise<readonly string[]> {
    const records = await this.pages((cursor) =>
      this.ledger.due({ queues: queues.length > 0 ? queues : ['default'], before, limit: 100, ...cursor }),
    );
    return records.map((record) => record.key.id);
  }

  /** All records of a query, page by page. */
  async pages(page: (cursor: { cursor?: string }) => Promise<Page>): Promise<readonly LedgerRecord[]> {
    const records: LedgerRecord[] = [];
    let cursor: { cursor?: string } = {};
    for (let count = 0; count < 10_000; count += 1) {
      const next = await page(cursor);
      records.push(...next.records);
      if (next.cursor === undefined) return records;
      cursor = { cursor: next.cursor };
    }
    throw new Error('The pages never ended.');
  }
}
