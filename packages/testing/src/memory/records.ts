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

/** Whether two keys name one record; the partition belongs to the name, as it does on Redis. */
export function isSameKey(a: RecordKey, b: RecordKey): boolean {
  return a.id === b.id && a.partition === b.partition && a.kind === b.kind;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where a record is kept, and how many had been filed before it. */
interface Slot {
  readonly order: number;
  entry: Entry;
}

/** The records of one memory store, shared by all handles on it. */
export class Records {
  readonly #slots = new Map<string, Map<string, Map<string, Slot>>>(); // kind → partition → id
  #filed = 0;
  readonly #byAttention = new Map<string, SortedSet<Entry>>();
  readonly #byId = new Map<string, SortedSet<RecordKey>>(); // of kinds that somebody has asked for
  readonly #byExpiry = new SortedSet<Entry>(
    (a, b) => a.record.expiresAt! - b.record.expiresAt! || compareKeys(a.record.key, b.record.key),
  );
  readonly #removals: { readonly key: RecordKey; readonly nonce: string }[] = []; // the latest of them
  readonly #changed: Changed;

  /** `changed` hears of every entry that is filed, replaced or removed. */
  constructor(changed: Changed = () => {}) {
    this.#changed = changed;
  }

  get(key: RecordKey): Entry | undefined {
    return this.#slots.get(key.kind)?.get(key.partition)?.get(key.id)?.entry;
  }

  /** Files an entry in place of the one under the same key. */
  put(entry: Entry): void {
    const { record } = entry;
    const ids = this.#partition(record.key);
    const slot = ids.get(record.key.id);
    const before = slot?.entry;
    if (slot === undefined) {
      ids.set(record.key.id, { order: (this.#filed += 1), entry });
      this.#byId.get(record.key.kind)?.add(record.key);
    } else {
      slot.entry = entry;
    }
    if (before !== undefined && !isSamePlace(before.record, record)) this.#unfile(before);
    if (attentionAt(record) !== undefined) this.queue(record.queue).replace(entry);
    else if (record.expiresAt !== undefined) this.#byExpiry.replace(entry);
    this.#changed(before, entry);
  }

  /** Removes a record and remembers for a while by whom, so that a repeat is recognised. */
  remove(key: RecordKey, nonce: string): void {
    if (this.get(key) === undefined) return;
    this.delete(key);
    this.#removals.push({ key: copyKey(key), nonce });
    if (this.#removals.length > REMEMBERED_REMOVALS) this.#removals.shift();
  }

  /** Whether the record is absent because of this request. */
  removedBy(key: RecordKey, nonce: string): boolean {
    if (this.get(key) !== undefined) return false;
    return this.#removals.findLast((removal) => isSameKey(removal.key, key))?.nonce === nonce;
  }

  /** Removes a record as if it had never been. */
  delete(key: RecordKey): void {
    const before = this.get(key);
    if (before === undefined) return;
    this.#partition(key).delete(key.id);
    this.#byId.get(key.kind)?.delete(key);
    this.#unfile(before);
    this.#changed(before, undefined);
  }

  /** Removes the settled records whose retention has ended. */
  expire(now: Instant): void {
    for (let entry = this.#byExpiry.first; entry && entry.record.expiresAt! <= now; entry = this.#byExpiry.first) {
      this.delete(entry.record.key);
    }
  }

  /** Every record there is, in the order in which they were first filed. */
  all(): readonly Entry[] {
    const slots = [...this.#slots.values()].flatMap((partitions) =>
      [...partitions.values()].flatMap((ids) => [...ids.values()]),
    );
    return inOrder(slots);
  }

  /** The records that are not settled, in the order in which they were first filed. */
  open(): readonly Entry[] {
    const entries = [...this.#byAttention.values()].flatMap((queue) => [...queue]);
    return inOrder(entries.map(({ record: { key } }) => this.#partition(key).get(key.id)!));
  }

  /** The open records of a queue, by attention time. */
  queue(name: string): SortedSet<Entry> {
    let entries = this.#byAttention.get(name);
    if (entries === undefined) this.#byAttention.set(name, (entries = new SortedSet<Entry>(compareAttention)));
    return entries;
  }

  /** The records of a kind, by id, without those at the front whose key is `before`. Change nothing on the way. */
  *kind(name: string, before: (key: RecordKey) => boolean = () => false): Generator<Entry, void, undefined> {
    for (const key of this.#ids(name).from(before)) yield this.get(key)!;
  }

  #partition({ kind, partition }: RecordKey): Map<string, Slot> {
    let partitions = this.#slots.get(kind);
    if (partitions === undefined) this.#slots.set(kind, (partitions = new Map()));
    let ids = partitions.get(partition);
    if (ids === undefined) partitions.set(partition, (ids = new Map()));
    return ids;
  }

  #ids(kind: string): SortedSet<RecordKey> {
    let keys = this.#byId.get(kind);
    if (keys !== undefined) return keys;
    this.#byId.set(kind, (keys = new SortedSet<RecordKey>(compareKeys)));
    const slots = [...(this.#slots.get(kind)?.values() ?? [])].flatMap((ids) => [...ids.values()]);
    for (const key of slots.map(({ entry }) => entry.record.key).toSorted(compareKeys)) keys.add(key);
    return keys;
  }

  /** Takes an entry out of the order of attention or expiry. */
  #unfile(entry: Entry): void {
    const { record } = entry;
    if (attentionAt(record) !== undefined) this.queue(record.queue).delete(entry);
    else if (record.expiresAt !== undefined) this.#byExpiry.delete(entry);
  }
}

function inOrder(slots: readonly Slot[]): readonly Entry[] {
  return slots.toSorted((a, b) => a.order - b.order).map(({ entry }) => entry);
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
  if (record.outbox.length === 0) return record;
  const copy = draftOf(record);
  copy.outbox = record.outbox.map(copyOutboxEntry);
  return Object.freeze(copy);
}

/** A record that is being made. */
export type Draft = { -readonly [F in keyof LedgerRecord]: LedgerRecord[F] };

/** A copy of a record, to be changed and frozen. Field by field: to spread what is frozen takes ten times as long. */
export function draftOf(record: LedgerRecord): Draft {
  return {
    generation: record.generation,
    queue: record.queue,
    task: record.task,
    state: record.state,
    dueAt: record.dueAt,
    wakeAt: record.wakeAt,
    expiresAt: record.expiresAt,
    durableGrant: record.durableGrant,
    body: record.body,
    outbox: record.outbox,
    key: record.key,
    version: record.version,
    fence: record.fence,
    lease: record.lease,
    interrupted: record.interrupted,
  };
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
