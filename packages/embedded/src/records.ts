// Records: the records of a store, and what finds them by time.
//
// S1  An open record stands in `leases` if it is leased. Else it stands in `waiting`, by queue, task and attention time,
//     or in the calendar if that is far off. A settled one stands in `settled`, by kind, state and end of retention.
// S2  Writes happen inside of a transaction, the record and its index entry together.
// S3  A settled record whose retention has ended does not exist, whether it has been removed yet or not.

import type { Instant, Lease, LedgerRecord, RecordContent, RecordKey } from '@carillon/core/spi';
import { Calendar } from './calendar.js';
import { PAIRING } from './catalog.js';
import type { Catalog } from './catalog.js';
import type { Environment, Table } from './environment.js';
import { aimAt, aimAtBytes, idIn, kindIn, recordKey, settledKey } from './keys.js';
import { Leases } from './leases.js';
import type { Standing } from './leases.js';
import { readHead, readRecord, writeRecord } from './record-codec.js';
import type { Head, Tail } from './record-codec.js';
import { Removals } from './removals.js';
import type { RecordName } from './removals.js';

const NOTHING = Buffer.alloc(0);
const NO_OVERWRITE = { noOverwrite: true } as const;

/** The records of a store. Whatever takes a name or an index entry aims at a record; the other calls are about that one. */
export class Records {
  readonly byId: Table;
  readonly waiting: Table;
  readonly settled: Table;
  readonly leases: Leases;
  readonly calendar: Calendar;
  readonly #catalog: Catalog;
  readonly #removals = new Removals();
  readonly #woken = new Map<number, Instant>();
  #bytes: Buffer | undefined;
  #size = 0;
  #kind = 0;

  constructor(environment: Environment, catalog: Catalog) {
    this.#catalog = catalog;
    this.byId = environment.table('records');
    this.waiting = environment.table('waiting');
    this.leases = new Leases(environment);
    this.settled = environment.table('settled');
    this.calendar = new Calendar(environment, this.waiting);
  }

  /** Aims at a record without reading it: inside of a transaction only. */
  aim({ kind, id }: RecordName): void {
    this.#kind = this.#catalog.number(kind);
    aimAt(this.#kind, id);
  }

  /** Aims at a record and reads it, for writing: inside of a transaction only. */
  find(key: RecordName, now: Instant): Head | undefined {
    this.aim(key);
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

  /** The same for an entry of those that are not leased (S1). */
  findUnleased(indexKey: Buffer, start: number): Head | undefined {
    this.#kind = kindIn(indexKey, start);
    aimAtBytes(indexKey, start);
    return this.#read();
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
    this.#bytes ??= this.byId.getBinaryFast(recordKey())!;
    return readRecord(key, head, this.#bytes, this.#size, this.#catalog);
  }

  /** Writes a head and a tail, in place of what stood there. */
  put(old: Head | undefined, head: Head, tail: Tail): void {
    if (old && !isSamePlace(old, head)) this.#unfile(old);
    this.byId.put(recordKey(), writeRecord(head, tail));
    this.#file(head);
  }

  /** Writes a record if there is none; says whether it has. */
  add(key: RecordName, head: Head, tail: Tail): boolean {
    this.aim(key);
    if (!this.byId.putSync(recordKey(), writeRecord(head, tail), NO_OVERWRITE)) return false;
    this.#file(head);
    return true;
  }

  /** Writes what the holder of an open record makes of it, and ends the lease, if nobody has touched it since the grant;
   *  says whether it has. */
  resolve(key: RecordName, granted: Standing, head: Head, tail: Tail): boolean {
    this.aim(key);
    if (!this.leases.stands(granted)) return false;
    this.leases.remove();
    this.byId.put(recordKey(), writeRecord(head, tail));
    this.#file(head);
    return true;
  }

  /** Writes who holds the record by now, which is open, and leaves the record itself alone. */
  hold(head: Head, before: Lease | undefined): void {
    const { queue, task, wakeAt } = head;
    if (before === undefined) this.calendar.unfile(queue, task, wakeAt!);
    this.leases.put(queue, task, wakeAt, head);
    this.#wake(queue, head.lease!.until);
  }

  /** Removes the record; a repeat of the change is recognised by its nonce for a while. */
  remove(key: RecordName, head: Head, nonce: string): void {
    this.#delete(head);
    this.#removals.note(key, nonce);
  }

  /** Whether the record is absent because of this change. */
  removedBy(key: RecordName, nonce: string): boolean {
    return this.#removals.has(key, nonce);
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
      process: 0,
      interrupted: [],
      hasOutbox: false,
      tail: 0,
    };
  }

  /** Sees what other processes have written. */
  refresh(now: Instant): void {
    this.calendar.refresh(now);
    this.leases.refresh();
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
    const head = this.#read();
    if (head && this.leases.read(head)) this.#bytes = undefined; // the row was read over them
    return head;
  }

  #read(): Head | undefined {
    this.#bytes = this.byId.getBinaryFast(recordKey());
    if (this.#bytes === undefined) return undefined;
    this.#size = this.#bytes.length;
    return readHead(this.#bytes);
  }

  #delete(head: Head): void {
    this.#unfile(head);
    this.byId.remove(recordKey());
  }

  #file(head: Head): void {
    const { queue, task, state, wakeAt, lease, expiresAt } = head;
    const catalog = this.#catalog;
    if (lease) this.leases.put(queue, task, wakeAt, head);
    if (wakeAt === undefined) {
      catalog.pair(PAIRING.settled, this.#kind, state);
      this.settled.put(settledKey(this.#kind, state, expiresAt), NOTHING);
      return;
    }
    catalog.pair(PAIRING.open, this.#kind, state);
    catalog.pair(PAIRING.lane, queue, task);
    if (lease === undefined) this.calendar.file(queue, task, wakeAt);
    this.#wake(queue, lease?.until ?? wakeAt);
  }

  #wake(queue: number, at: Instant): void {
    const earliest = this.#woken.get(queue);
    if (earliest === undefined || at < earliest) this.#woken.set(queue, at);
  }

  #unfile({ queue, task, state, wakeAt, lease, expiresAt }: Head): void {
    if (lease) this.leases.remove();
    if (wakeAt === undefined) this.settled.remove(settledKey(this.#kind, state, expiresAt));
    else if (lease === undefined) this.calendar.unfile(queue, task, wakeAt);
  }
}

function isGone({ wakeAt, expiresAt }: Head, now: Instant): boolean {
  return wakeAt === undefined && expiresAt !== undefined && expiresAt <= now;
}

function isSamePlace(a: Head, b: Head): boolean {
  if ((a.lease === undefined) !== (b.lease === undefined)) return false;
  if (a.wakeAt === undefined || b.wakeAt === undefined) {
    return a.wakeAt === b.wakeAt && a.state === b.state && a.expiresAt === b.expiresAt;
  }
  return a.lease !== undefined || (a.queue === b.queue && a.task === b.task && a.wakeAt === b.wakeAt);
}
