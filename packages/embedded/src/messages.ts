// Messages: what the store keeps for a transport that stands alone, where a message is a small record of its own.
//
// M1  A message stands under its queue, the time at which it wants to be delivered, and a number that never comes twice.
//     While it is held, the end of its lease is that time, so an unacknowledged one is delivered again by itself (P2).

import type { Instant, OutgoingMessage } from '@carillon/core/spi';
import type { Catalog } from './catalog.js';
import { firstKey, keysIn } from './environment.js';
import type { Environment, Table } from './environment.js';
import { bound, toStored } from './keys.js';

const NOTHING = Buffer.alloc(0);
const HEADER = 8; // process, attempt
const SEQUENCE_KEY = Buffer.from('sequence');
const MOST_ENDED = 500;

/** Where a message stands. */
export interface Place {
  readonly queue: number;
  readonly at: Instant;
  readonly sequence: number;
}

/** A message that has been handed to a process. */
export interface HeldMessage extends Place {
  readonly attempt: number;
  readonly body: Buffer;
}

/** The messages of a store. All but `nextAt` only inside of a transaction. */
export class Messages {
  readonly #catalog: Catalog;
  readonly #table: Table;
  readonly #held: Table;
  readonly #sequences: Table;
  readonly #woken = new Map<number, Instant>();

  constructor(environment: Environment, catalog: Catalog) {
    this.#catalog = catalog;
    this.#table = environment.table('messages');
    this.#held = environment.table('held');
    this.#sequences = environment.table('sequences');
  }

  /** Stores messages, and says where each stands. */
  add(messages: readonly OutgoingMessage[]): readonly Place[] {
    const stored = this.#sequences.getBinary(SEQUENCE_KEY);
    let sequence = stored ? stored.readUIntBE(0, 6) : 0;
    const places = messages.map(({ queue, body, deliverAt }) => {
      sequence += 1;
      const place = { queue: this.#catalog.number(queue), at: toStored(deliverAt), sequence };
      const value = Buffer.alloc(HEADER + body.length);
      value.set(body, HEADER);
      this.#put(place, value);
      return place;
    });
    const next = Buffer.alloc(6);
    next.writeUIntBE(sequence, 0, 6);
    this.#sequences.put(SEQUENCE_KEY, next);
    return places;
  }

  /** Hands messages that are due to a process, under a lease. */
  take(queue: number, max: number, now: Instant, leaseMs: number, process: number): readonly HeldMessage[] {
    const range = { start: bound(queue, 0, 0).subarray(0, 2), end: dueBound(queue, now), limit: max };
    return keysIn(this.#table, range).map((key) => {
      const place = readPlace(key);
      const value = Buffer.from(this.#table.getBinary(key)!);
      this.#remove(place, value);
      const attempt = value.readUInt32LE(4) + 1;
      const held = { ...place, at: toStored(now + leaseMs) };
      value.writeUInt32LE(process, 0);
      value.writeUInt32LE(attempt, 4);
      this.#put(held, value);
      return { attempt, body: value.subarray(HEADER), ...held };
    });
  }

  /** Whether the message still stands there in the hands of the process that took it at this attempt. */
  isHeld(place: Place, attempt: number): boolean {
    const value = this.#table.getBinaryFast(placeKey(place));
    return value !== undefined && value.readUInt32LE(0) !== 0 && value.readUInt32LE(4) === attempt;
  }

  /** Removes a message; false if it is no longer there. */
  remove(place: Place): boolean {
    const value = this.#table.getBinary(placeKey(place));
    if (value === undefined) return false;
    this.#remove(place, Buffer.from(value));
    return true;
  }

  /** Moves a message to another time; `undefined` if it is no longer there. `free`: nobody holds it any more. */
  move(place: Place, to: Instant, free: boolean): Place | undefined {
    const found = this.#table.getBinary(placeKey(place));
    if (found === undefined) return undefined;
    const value = Buffer.from(found);
    this.#remove(place, value);
    if (free) value.writeUInt32LE(0, 0);
    const moved = { ...place, at: toStored(to) };
    this.#put(moved, value);
    return moved;
  }

  /** When the queue's next message wants to be delivered. */
  nextAt(queue: number): Instant {
    const key = firstKey(this.#table, bound(queue), bound(queue + 1));
    return key ? readPlace(key).at : Infinity;
  }

  /** Ends the leases of dead processes, some at a time; says whether none are left. */
  endLeases(dead: readonly number[], now: Instant): boolean {
    let done = true;
    for (const process of dead) {
      const range = { start: processKey(process), end: processKey(process + 1), limit: MOST_ENDED };
      const keys = keysIn(this.#held, range);
      for (const key of keys) {
        const place = readPlace(key.subarray(4));
        if (this.move(place, Math.min(place.at, now), true) === undefined) this.#held.remove(key);
      }
      if (keys.length === MOST_ENDED) done = false;
    }
    return done;
  }

  /** The queues in which something was filed since the last call, and the earliest time for which it was. */
  takeWoken(tell: (queue: number, at: Instant) => void): void {
    if (this.#woken.size === 0) return;
    this.#woken.forEach((at, queue) => tell(queue, at));
    this.#woken.clear();
  }

  #put(place: Place, value: Buffer): void {
    const key = placeKey(place);
    this.#table.put(key, value);
    const process = value.readUInt32LE(0);
    if (process !== 0) this.#held.put(Buffer.concat([processKey(process), key]), NOTHING);
    this.#woken.set(place.queue, Math.min(place.at, this.#woken.get(place.queue) ?? Infinity));
  }

  #remove(place: Place, value: Buffer): void {
    const key = placeKey(place);
    this.#table.remove(key);
    const process = value.readUInt32LE(0);
    if (process !== 0) this.#held.remove(Buffer.concat([processKey(process), key]));
  }
}

function placeKey({ queue, at, sequence }: Place): Buffer {
  const key = Buffer.alloc(14);
  key.writeUInt16BE(queue, 0);
  key.writeUIntBE(at, 2, 6);
  key.writeUIntBE(sequence, 8, 6);
  return key;
}

function readPlace(key: Buffer): Place {
  return { queue: key.readUInt16BE(0), at: key.readUIntBE(2, 6), sequence: key.readUIntBE(8, 6) };
}

/** The first key that is not due. */
function dueBound(queue: number, now: Instant): Buffer {
  return placeKey({ queue, at: Math.max(0, Math.floor(now)) + 1, sequence: 0 });
}

function processKey(process: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32BE(process, 0);
  return key;
}
