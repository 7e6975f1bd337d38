// Records: what the memory ledger holds, with the orders in which it is asked for.
//
// M1  Everything inside is frozen and shared with nobody: contents are copied on the way in, bytes on the way out.
// M2  An entry is replaced, never changed, so each index finds it by the values under which it was filed.

import type { Instant, LedgerRecord, OutboxEntry, OutgoingMessage, RecordContent, RecordKey } from '@carillon/core/spi';
import { SortedSet } from '../sorted-set.js';

const REMEMBERED_REMOVALS = 1000;
const EMPTY: readonly OutboxEntry[] = Object.freeze([]);

/** A record, and the nonce of the last change that wrote it (L4). */
export interface Entry {
  readonly record: LedgerRecord;
  readonly nonce: string;
}

/** Hears of an entry that has been filed (`before` is undefined), replaced, or removed (`after` is undefined). */
export type Changed = (before: Entry | undefined, after: Entry | undefined) => void;

/** When a record wants attention: at its `wakeAt`, but not before the end of its lease; `undefined` once settled. */
export function attentionAt({ wakeAt, lease }: LedgerRecord): Instant | undefined {
  return wakeAt === undefined ? undefined : Math.max(lease?.until ?? 0, wakeAt);
}

/** One text per key; the partition belongs to it, as it does on Redis. */
export function identityOf(key: RecordKey): string {
  return `${key.kind.length} ${key.id.length} ${key.kind}${key.id}${key.partition}`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The records of one memory store, shared by all handles on it. */
export class Records {
  readonly #entries = new Map<string, Entry>();
  readonly #byAttention = new Map<string, SortedSet<Entry>>();
  readonly #byId = new Map<string, SortedSet<RecordKey>>();
  readonly #byExpiry = new SortedSet<Entry>(
    (a, b) => a.record.expiresAt! - b.record.expiresAt! || compareKeys(a.record.key, b.record.key),
  );
  readonly #removals = new Map<string, string>(); // identity → nonce, the latest of them
  readonly #changed: Changed;

  /** `changed` hears of every entry that is filed, replaced or removed. */
  constructor(changed: Changed = () => {}) {
    this.#changed = changed;
  }

  get(key: RecordKey): Entry | undefined {
    return this.#entries.get(identityOf(key));
  }

  /** The entry under a key that is given as text. */
  at(identity: string): Entry | undefined {
    return this.#entries.get(identity);
  }

  /** Files an entry in place of the one under the same key. */
  put(entry: Entry): void {
    const { record } = entry;
    const identity = identityOf(record.key);
    const before = this.#entries.get(identity);
    this.#entries.set(identity, entry);
    if (before === undefined) this.#ids(record.key.kind).add(record.key);
    if (before !== undefined && !isSamePlace(before.record, record)) this.#unfile(before);
    if (attentionAt(record) !== undefined) this.queue(record.queue).replace(entry);
    else if (record.expiresAt !== undefined) this.#byExpiry.replace(entry);
    this.#changed(before, entry);
  }

  /** Removes a record and remembers for a while by whom, so that a repeat is recognised. */
  remove(key: RecordKey, nonce: string): void {
    if (this.get(key) === undefined) return;
    this.delete(key);
    this.#removals.set(identityOf(key), nonce);
    for (const oldest of this.#removals.keys()) {
      if (this.#removals.size <= REMEMBERED_REMOVALS) break;
      this.#removals.delete(oldest);
    }
  }

  /** Whether the record is absent because of this request. */
  removedBy(key: RecordKey, nonce: string): boolean {
    return this.get(key) === undefined && this.#removals.get(identityOf(key)) === nonce;
  }

  /** Removes a record as if it had never been. */
  delete(key: RecordKey): void {
    const identity = identityOf(key);
    const before = this.#entries.get(identity);
    if (before === undefined) return;
    this.#entries.delete(identity);
    this.#ids(key.kind).delete(key);
    this.#unfile(before);
    this.#changed(before, undefined);
  }

  /** Removes the settled records whose retention has ended. */
  expire(now: Instant): void {
    for (let entry = this.#byExpiry.first; entry && entry.record.expiresAt! <= now; entry = this.#byExpiry.first) {
      this.delete(entry.record.key);
    }
  }

  /** Every record there is. */
  all(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** The open records of a queue, by attention time. */
  queue(name: string): SortedSet<Entry> {
    let entries = this.#byAttention.get(name);
    if (entries === undefined) this.#byAttention.set(name, (entries = new SortedSet<Entry>(compareAttention)));
    return entries;
  }

  /** The records of a kind, by id, without those at the front whose key is `before`. Change nothing on the way. */
  *kind(name: string, before: (key: RecordKey) => boolean = () => false): Generator<Entry, void, undefined> {
    for (const key of this.#ids(name).from(before)) yield this.#entries.get(identityOf(key))!;
  }

  #ids(kind: string): SortedSet<RecordKey> {
    let keys = this.#byId.get(kind);
    if (keys === undefined) this.#byId.set(kind, (keys = new SortedSet<RecordKey>(compareKeys)));
    return keys;
  }

  /** Takes an entry out of the order of attention or expiry. */
  #unfile(entry: Entry): void {
    const { record } = entry;
    if (attentionAt(record) !== undefined) this.queue(record.queue).delete(entry);
    else if (record.expiresAt !== undefined) this.#byExpiry.delete(entry);
  }
}

/** Whether two states of a record stand at one place in the order of attention or expiry. */
function isSamePlace(a: LedgerRecord, b: LedgerRecord): boolean {
  const attention = attentionAt(a);
  if (attention !== attentionAt(b)) return false;
  return attention === undefined ? a.expiresAt === b.expiresAt : a.queue === b.queue;
}

/** The order of `due`: earliest attention first. */
export function compareAttention(a: Entry, b: Entry): number {
  return attentionAt(a.record)! - attentionAt(b.record)! || compareKeys(a.record.key, b.record.key);
}

/** The order of `list`: by id, then by what else tells two keys apart. */
export function compareKeys(a: RecordKey, b: RecordKey): number {
  return compareText(a.id, b.id) || compareText(a.partition, b.partition) || compareText(a.kind, b.kind);
}

/** A frozen copy of what the engine writes, without anything that the port does not name (M1). */
export function copyContent(content: RecordContent): RecordContent {
  const { generation, queue, task, state, dueAt, wakeAt, expiresAt, durableGrant, body } = content;
  const outbox = copyOutbox(content.outbox);
  return Object.freeze({ generation, queue, task, state, dueAt, wakeAt, expiresAt, durableGrant, body, outbox });
}

/** A frozen copy of an outbox (M1). */
export function copyOutbox(outbox: RecordContent['outbox']): RecordContent['outbox'] {
  return outbox.length === 0 ? EMPTY : Object.freeze(outbox.map(copyOutboxEntry));
}

/** A record for a caller: its own, as far as anything in it could be changed (M1). */
export function handOut(record: LedgerRecord): LedgerRecord {
  return record.outbox.length === 0 ? record : Object.freeze({ ...record, outbox: record.outbox.map(copyOutboxEntry) });
}

/** A frozen copy of a key. */
export function copyKey(key: RecordKey): RecordKey {
  return Object.freeze({ kind: key.kind, id: key.id, partition: key.partition });
}

/** A copy of a message, with bytes of its own. */
export function copyMessage({ id, queue, body, deliverAt }: OutgoingMessage): OutgoingMessage {
  return Object.freeze({ id, queue, body: new Uint8Array(body), deliverAt });
}

function copyOutboxEntry({ message, wakeAt }: OutboxEntry): OutboxEntry {
  return Object.freeze({ message: copyMessage(message), wakeAt });
}
