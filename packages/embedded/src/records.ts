// Records: the records of a store and the three indexes that find them. Every record is in exactly one index.
//
// S1  Open and unleased: in `waiting`, by queue, task and attention time, or in the calendar if that is far off. Leased: in `leased`, by queue and end of the
//     lease. Settled: in `settled`, by kind, state and end of retention.
// S2  Writes happen inside of a transaction, the record and its index entry together.
// S3  A settled record whose retention has ended does not exist, whether it has been removed yet or not.

import type { Instant, LedgerRecord, RecordContent, RecordKey } from '@carillon/core/spi';
import { Calendar } from './calendar.js';
import { PAIRING } from './catalog.js';
import type { Catalog } from './catalog.js';
import type { Environment, Table } from './environment.js';
import { aimAt, aimAtBytes, idIn, kindIn, leasedKey, recordKey, settledKey } from './keys.js';
import { readHead, readRecord, rewriteRecord, writeRecord } from './record-codec.js';
import type { Head } from './record-codec.js';

const NOTHING = Buffer.alloc(0);
const LEASED_VALUE = Buffer.allocUnsafe(4);
const NO_REMOVALS = 1000;

/** What finds a record: its key without the partition. */
export type RecordName = Pick<RecordKey, 'kind' | 'id'>;

/** The records of a store. A call of `find` or `findAt` aims at a record; the other calls are about that one. */
export class Records {
  readonly byId: Table;
  readonly waiting: Table;
  readonly leased: Table;
  readonly settled: Table;
  readonly calendar: Calendar;
  readonly #catalog: Catalog;
  readonly #removals = new Map<string, string>();
  readonly #woken = new Map<number, Instant>();
  #bytes: Buffer = NOTHING;
  #size = 0;
  #kind = 0;

  constructor(environment: Environment, catalog: Catalog) {
    this.#catalog = catalog;
    this.byId = environment.table('records');
    this.waiting = environment.table('waiting');
    this.leased = environment.table('leased');
    this.settled = environment.table('settled');
    this.calendar = new Calendar(environment, this.waiting);
  }

  /** Aims at a record, for writing: inside of a transaction only. */
  find(key: RecordName, now: Instant): Head | undefined {
    this.#kind = this.#catalog.number(key.kind);
    aimAt(this.#kind, key.id);
    const head = this.#head();
    if (head === undefined || !isGone(head, now)) return head;
    this.#delete(head);
    return undefined;
  }

  /** Aims at the record that an index entry stands for, whose own key begins at `start`. */
  findAt(indexKey: Buffer, start: number): Head | undefined {
    this.#kind = kindIn(indexKey, start);
    aimAtBytes(indexKey, start);
    return this.#head();
  }

  /** Reads a record; `undefined` if there is none. */
  read(key: RecordName, now: Instant): LedgerRecord | undefined {
    const kind = this.#catalog.find(key.kind);
    if (kind === undefined) return undefined;
    aimAt(kind, key.id);
    const head = this.#head();
    return head === undefined || isGone(head, now) ? undefined : this.record(key, head);
  }

  /** Reads the record that an index entry stands for. */
  readAt(indexKey: Buffer, start: number, now: Instant): LedgerRecord | undefined {
    const head = this.findAt(indexKey, start);
    return head === undefined || isGone(head, now) ? undefined : this.record(this.nameAt(indexKey, start), head);
  }

  /** The names in an index entry. */
  nameAt(indexKey: Buffer, start: number): RecordName {
    return { kind: this.#catalog.name(kindIn(indexKey, start)), id: idIn(indexKey, start) };
  }

  /** The record that was aimed at last, as the port describes it. `head` may have changed since it was read. */
  record(key: RecordName, head: Head): LedgerRecord {
    return readRecord(key, head, this.#bytes, this.#size, this.#catalog);
  }

  /** Writes content under a head, in place of what stood there. */
  put(old: Head | undefined, head: Head, content: Pick<RecordContent, 'body' | 'outbox'>): void {
    this.#store(old, head, writeRecord(head, content));
  }

  /** Writes a changed head and leaves the rest as it is. `old` is as it was read, or at least its place in the index. */
  rewrite(old: Head, head: Head): void {
    this.#store(old, head, rewriteRecord(head, this.#bytes, this.#size));
  }

  /** Removes the record; a repeat of the change is recognised by its nonce for a while. */
  remove(key: RecordName, head: Head, nonce: string): void {
    this.#delete(head);
    this.#removals.set(identityOf(key), nonce);
    for (const oldest of this.#removals.keys()) {
      if (this.#removals.size <= NO_REMOVALS) break;
      this.#removals.delete(oldest);
    }
  }

  /** Whether the record is absent because of this change. */
  removedBy(key: RecordName, nonce: string): boolean {
    return this.#removals.size > 0 && this.#removals.get(identityOf(key)) === nonce;
  }

  /** Removes a settled record whose retention has ended, by its entry in the index. */
  expire(indexKey: Buffer, start: number): void {
    const head = this.findAt(indexKey, start);
    if (head === undefined) this.settled.remove(indexKey);
    else this.#delete(head);
  }

  /** The numbers of content's names, as a head. Inside of a transaction only. */
  headOf({ id, partition }: RecordKey, content: RecordContent, nonce: string): Head {
    const catalog = this.#catalog;
    return {
      queue: catalog.number(content.queue),
      task: catalog.number(content.task),
      state: catalog.number(content.state),
      version: 1,
      generation: content.generation,
      fence: 0,
      dueAt: content.dueAt,
      wakeAt: content.wakeAt,
      expiresAt: content.expiresAt,
      durableGrant: content.durableGrant,
      nonce,
      partition: partition === id ? undefined : partition,
      lease: undefined,
      interrupted: [],
      hasOutbox: false,
      tail: 0,
    };
  }

  /** Moves what the calendar holds for the time that is near now, some at a time. Inside of a transaction. */
  bringForward(now: Instant): void {
    this.calendar.bringForward(now, (queue, at) => this.#wake(queue, at));
  }

  /** The queues in which something was filed since the last call, and the earliest time at which it wants attention. */
  takeWoken(tell: (queue: number, at: Instant) => void): void {
    if (this.#woken.size === 0) return;
    this.#woken.forEach((at, queue) => tell(queue, at));
    this.#woken.clear();
  }

  #head(): Head | undefined {
    const bytes = this.byId.getBinaryFast(recordKey());
    if (bytes === undefined) return undefined;
    this.#bytes = bytes;
    this.#size = bytes.length;
    return readHead(bytes);
  }

  #store(old: Head | undefined, head: Head, bytes: Buffer): void {
    if (old && !isSamePlace(old, head)) this.#unfile(old);
    this.byId.put(recordKey(), bytes);
    this.#file(head);
  }

  #delete(head: Head): void {
    this.#unfile(head);
    this.byId.remove(recordKey());
  }

  #file(head: Head): void {
    const { queue, task, state, wakeAt, lease, expiresAt } = head;
    const catalog = this.#catalog;
    if (wakeAt === undefined) {
      catalog.pair(PAIRING.settled, this.#kind, state);
      this.settled.put(settledKey(this.#kind, state, expiresAt), NOTHING);
      return;
    }
    catalog.pair(PAIRING.open, this.#kind, state);
    catalog.pair(PAIRING.lane, queue, task);
    if (lease) {
      LEASED_VALUE.writeUInt32LE(lease.process);
      this.leased.put(leasedKey(queue, lease.until), LEASED_VALUE);
    } else this.calendar.file(queue, task, wakeAt);
    this.#wake(queue, lease?.until ?? wakeAt);
  }

  #wake(queue: number, at: Instant): void {
    const earliest = this.#woken.get(queue);
    if (earliest === undefined || at < earliest) this.#woken.set(queue, at);
  }

  #unfile(head: Head): void {
    if (head.wakeAt === undefined) this.settled.remove(settledKey(this.#kind, head.state, head.expiresAt));
    else if (head.lease) this.leased.remove(leasedKey(head.queue, head.lease.until));
    else this.calendar.unfile(head.queue, head.task, head.wakeAt);
  }
}

/** When a record wants attention: at its lease's end while it is leased, else at its `wakeAt`; never once settled. */
export function attentionAt(record: Pick<LedgerRecord, 'wakeAt' | 'lease'>): Instant | undefined {
  return record.wakeAt === undefined ? undefined : (record.lease?.until ?? record.wakeAt);
}

function isGone({ wakeAt, expiresAt }: Head, now: Instant): boolean {
  return wakeAt === undefined && expiresAt !== undefined && expiresAt <= now;
}

function isSamePlace(a: Head, b: Head): boolean {
  if (a.wakeAt === undefined || b.wakeAt === undefined) {
    return a.wakeAt === b.wakeAt && a.state === b.state && a.expiresAt === b.expiresAt;
  }
  if (a.queue !== b.queue) return false;
  if (a.lease || b.lease) return a.lease?.until === b.lease?.until;
  return a.task === b.task && a.wakeAt === b.wakeAt;
}

function identityOf({ kind, id }: RecordName): string {
  return `${kind}\0${id}`;
}
