// Memory ledger: the reference of the ledger port. Clear before fast; the rules are in claim.ts and change.ts.

import type {
  Change,
  ChangeAnswer,
  Claim,
  ClaimAnswer,
  Clock,
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
import { CarillonError } from '@carillon/core/spi';
import { applyChange } from './change.js';
import { judge, prolong } from './claim.js';
import { attentionAt, compareAttention, compareKeys, copyContent, copyKey, handOut } from './records.js';
import type { Entry, Records } from './records.js';

/** One handle on records in memory; any number of handles may share them. */
export class MemoryLedger implements Ledger {
  readonly durability = 'memory';
  readonly partitioned = true;
  readonly #records: Records;
  readonly #clock: Clock;
  #closed = false;

  constructor(records: Records, clock: Clock) {
    this.#records = records;
    this.#clock = clock;
  }

  async open(): Promise<void> {
    this.#closed = false;
  }

  /** Further calls fail until it is opened again; the records stay. */
  async close(): Promise<void> {
    this.#closed = true;
  }

  async now(): Promise<Instant> {
    return this.#enter();
  }

  async acquire(claims: readonly Claim[]): Promise<readonly ClaimAnswer[]> {
    const now = this.#enter();
    return claims.map((claim) => {
      const entry = this.#records.get(claim.key) ?? this.#create(claim);
      if (entry === undefined) return { answer: 'absent' };
      const { record, answer } = judge(entry.record, claim, now);
      if (record !== entry.record) this.#records.put({ record, nonce: entry.nonce });
      return answer.record.outbox.length === 0 ? answer : { ...answer, record: handOut(answer.record) };
    });
  }

  async renew(renewals: readonly Renewal[]): Promise<readonly RenewalAnswer[]> {
    const now = this.#enter();
    return renewals.map((renewal) => {
      const entry = this.#records.get(renewal.key);
      const record = entry && prolong(entry.record, renewal, now);
      if (record?.lease === undefined) return { answer: 'lost' };
      this.#records.put({ record, nonce: entry!.nonce });
      return { answer: 'ok', version: record.version, until: record.lease.until };
    });
  }

  async commit(changes: readonly Change[]): Promise<readonly ChangeAnswer[]> {
    this.#enter();
    return changes.map((change) => applyChange(this.#records, change));
  }

  async read(keys: readonly RecordKey[]): Promise<readonly (LedgerRecord | undefined)[]> {
    this.#enter();
    return keys.map((key) => {
      const entry = this.#records.get(key);
      return entry && handOut(entry.record);
    });
  }

  async due(query: DueQuery): Promise<Page> {
    this.#enter();
    const after = query.cursor === undefined ? undefined : placeOf(query.cursor);
    const passed = ({ record }: Entry): boolean =>
      after !== undefined && (attentionAt(record)! - after.at || compareKeys(record.key, after.key)) <= 0;
    const found: Entry[] = [];
    for (const queue of new Set(query.queues)) {
      let taken = 0;
      for (const entry of this.#records.queue(queue).from(passed)) {
        if (taken > query.limit || attentionAt(entry.record)! > query.before) break;
        found.push(entry);
        taken += 1;
      }
    }
    found.sort(compareAttention);
    return page(found, query.limit);
  }

  async list(query: ListQuery): Promise<Page> {
    this.#enter();
    const prefix = query.idPrefix ?? '';
    const after = query.cursor === undefined ? undefined : placeOf(query.cursor).key;
    const passed = (key: RecordKey): boolean =>
      key.id < prefix || (after !== undefined && compareKeys(key, after) <= 0);
    const found: Entry[] = [];
    for (const entry of this.#records.kind(query.kind, passed)) {
      if (found.length > query.limit || !entry.record.key.id.startsWith(prefix)) break;
      if (matches(entry.record, query)) found.push(entry);
    }
    return page(found, query.limit);
  }

  #create({ key, create, nonce }: Claim): Entry | undefined {
    if (create === undefined) return undefined;
    const record = { ...copyContent(create), key: copyKey(key), version: 1, fence: 0, lease: undefined };
    this.#records.put({ record: Object.freeze({ ...record, interrupted: Object.freeze([]) }), nonce });
    return this.#records.get(key);
  }

  /** Every call begins here: with the time, and without the records whose retention has ended by then. */
  #enter(): Instant {
    if (this.#closed) throw new CarillonError('E_STOPPED', 'This ledger is closed.', { next: 'Open it again.' });
    const now = this.#clock.now();
    this.#records.expire(now);
    return now;
  }
}

function matches(record: LedgerRecord, query: ListQuery): boolean {
  return (
    (query.task === undefined || record.task === query.task) &&
    (query.queue === undefined || record.queue === query.queue) &&
    (query.states === undefined || query.states.includes(record.state)) &&
    (query.dueFrom === undefined || record.dueAt >= query.dueFrom) &&
    (query.dueBefore === undefined || record.dueAt < query.dueBefore)
  );
}

/** The first `limit` entries, and a cursor to the last of them if there are more. */
function page(found: readonly Entry[], limit: number): Page {
  const entries = found.slice(0, limit);
  const records = entries.map(({ record }) => handOut(record));
  const last = entries.at(-1);
  if (found.length <= limit || last === undefined) return { records };
  const { kind, id, partition } = last.record.key;
  return { records, cursor: JSON.stringify([kind, id, partition, attentionAt(last.record) ?? 0]) };
}

/** The place that a cursor names; throws `E_OPTIONS` for a text that no page has handed out. */
function placeOf(cursor: string): { readonly key: RecordKey; readonly at: Instant } {
  try {
    const [kind, id, partition, at] = JSON.parse(cursor) as [string, string, string, Instant];
    if ([kind, id, partition].every((part) => typeof part === 'string') && Number.isFinite(at))
      return { key: { kind, id, partition }, at };
  } catch {
    // refused below, like any other text that names no place
  }
  throw new CarillonError('E_OPTIONS', `${JSON.stringify(cursor)} is no cursor of a page.`, {
    next: 'Give the cursor of the page before, or leave it out for the first page.',
  });
}
