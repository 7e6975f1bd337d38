// Leases: who holds which record. A row stands beside the record, under the same key, so a claim leaves the record alone.
//
// H1  A row says the version and the fence that count: a grant raises them here only.
// H2  Rows are in no order of time. Instead, no row of a queue wants attention before the queue's bound. When that has
//     passed all rows are looked at, about once per length of a lease, and it moves on to the first among them.
// H3  A row begins like an entry of the calendar: queue, task, and when the record wants attention. A row of a settled
//     record says `NOBODY` for the queue: nothing waits for its end. A leased record wants attention at the end of its
//     lease, or at its own `wakeAt` if that is later: a sweep that looked after it has put it off.

import type { Instant, Lease } from '@carillon/core/spi';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { Environment, Table } from './environment.js';
import { recordKey, toStored } from './keys.js';

const NOBODY = 0; // no queue has this number
const PROCESS_AT = 10; // behind what H3 says
const VERSION_AT = 14;
const EVERYTHING = { start: Buffer.from([0]), end: Buffer.alloc(3, 255) };
const NONE: readonly never[] = Object.freeze([]);

const writer = new ByteWriter();
const reader = new ByteReader();

/** What a write that was decided before has to meet again. */
export interface Standing {
  readonly version: number;
  readonly fence: number;
}

/** What a grant changes in a record. */
export interface Holding {
  version: number;
  fence: number;
  lease: Lease | undefined;
  /** The number of the process that has the lease. */
  process: number;
  interrupted: readonly Lease[];
}

/** An open record under a lease, by its key. */
export interface Held {
  readonly key: Buffer;
  readonly queue: number;
  readonly task: number;
  /** When it wants attention (H3). */
  readonly at: Instant;
  readonly process: number;
}

/** The leases of a store. `read`, `put` and `remove` are about the record that was aimed at. */
export class Leases {
  readonly byRecord: Table;
  readonly #bounds: Table;
  readonly #known = new Map<number, Instant>();

  constructor(environment: Environment) {
    this.byRecord = environment.table('leases');
    this.#bounds = environment.table('bounds');
  }

  /** Sees what other processes have written. */
  refresh(): void {
    this.#known.clear();
  }

  /** Fills in what a row says, if there is one. */
  read(holding: Holding): boolean {
    const bytes = this.byRecord.getBinaryFast(recordKey());
    if (bytes === undefined) return false;
    reader.start(bytes, PROCESS_AT);
    holding.process = reader.uint32();
    holding.version = reader.uint32();
    holding.fence = reader.float64();
    holding.lease = readLease();
    const interruptions = reader.uint16();
    holding.interrupted = interruptions === 0 ? NONE : Array.from({ length: interruptions }, readLease);
    return true;
  }

  /** Whether the record is open, leased, and as it was. */
  stands({ version, fence }: Standing): boolean {
    const bytes = this.byRecord.getBinaryFast(recordKey());
    if (bytes === undefined) return false;
    reader.start(bytes, 0);
    if (reader.uint16() === NOBODY) return false;
    reader.at = VERSION_AT;
    return reader.uint32() === version && reader.float64() === fence;
  }

  /** Writes who holds a record of a queue and a task; without `wakeAt` it is settled. */
  put(queue: number, task: number, wakeAt: Instant | undefined, holding: Holding): void {
    const { version, fence, process, interrupted } = holding;
    const lease = holding.lease!;
    const at = toStored(Math.max(lease.until, wakeAt ?? 0));
    writer.start();
    writer.uint16(wakeAt === undefined ? NOBODY : queue);
    writer.uint16(task);
    writer.uint48(at);
    writer.uint32(process);
    writer.uint32(version);
    writer.float64(fence);
    writeLease(lease);
    writer.uint16(interrupted.length);
    for (const ended of interrupted) writeLease(ended);
    this.byRecord.put(recordKey(), writer.written());
    if (wakeAt !== undefined && at < this.#bound(queue)) this.#setBound(queue, at); // H2
  }

  remove(): void {
    this.byRecord.remove(recordKey());
  }

  /** Every open record under a lease, in no order. */
  *held(): Iterable<Held> {
    for (const { key, value } of this.byRecord.getRange(EVERYTHING)) {
      reader.start(value, 0);
      const queue = reader.uint16();
      const task = reader.uint16();
      if (queue !== NOBODY) yield { key, queue, task, at: reader.uint48(), process: reader.uint32() };
    }
  }

  /** Those of a queue whose lease has ended, the earliest first. Inside of a transaction. */
  ended(queue: number, now: Instant): readonly Held[] {
    if (this.#bound(queue) > now) return NONE;
    const held = this.#inOrder(queue);
    this.#setBound(queue, held[0]?.at ?? Infinity); // H2
    return held.filter(({ at }) => at <= now);
  }

  /** When the next lease of a queue ends, of those tasks; perhaps said too early, as long as it is not yet `now`. */
  nextEnd(queue: number, now: Instant, hasRoom: (task: number) => boolean): Instant {
    const bound = this.#bound(queue);
    if (bound > now) return bound;
    return this.#inOrder(queue).find(({ task }) => hasRoom(task))?.at ?? Infinity;
  }

  #inOrder(queue: number): readonly Held[] {
    return [...this.held()].filter((held) => held.queue === queue).toSorted((a, b) => a.at - b.at);
  }

  #bound(queue: number): Instant {
    let bound = this.#known.get(queue);
    if (bound === undefined) {
      bound = this.#bounds.getBinaryFast(boundKey(queue))?.readDoubleBE(0) ?? Infinity;
      this.#known.set(queue, bound);
    }
    return bound;
  }

  #setBound(queue: number, bound: Instant): void {
    if (bound === this.#known.get(queue)) return;
    const value = Buffer.allocUnsafe(8);
    value.writeDoubleBE(bound);
    this.#bounds.put(boundKey(queue), value);
    this.#known.set(queue, bound);
  }
}

function boundKey(queue: number): Buffer {
  const key = Buffer.allocUnsafe(2);
  key.writeUInt16BE(queue);
  return key;
}

function writeLease({ holder, nonce, since, until }: Lease): void {
  writer.text(holder);
  writer.text(nonce);
  writer.float64(since);
  writer.float64(until);
}

function readLease(): Lease {
  return { holder: reader.text(), nonce: reader.text(), since: reader.float64(), until: reader.float64() };
}
