// Intake: chooses the records of a queue that want attention, over its lanes (one per task).
//
// N1  Earliest first over all lanes; a lane without room is passed over, and costs one look.

import type { Instant } from '@carillon/core/spi';
import { PAIRING } from './catalog.js';
import type { Catalog } from './catalog.js';
import { firstKey } from './environment.js';
import { INDEXED_RECORD, LEASED_RECORD, after, bound } from './keys.js';
import type { Records } from './records.js';

const LANE_INSTANT = 4;

/** An index entry that was chosen, and where the record's key begins in it. */
export interface Chosen {
  readonly indexKey: Buffer;
  readonly start: number;
}

/** How many each task may take, by its number; a task that is missing may take any number. */
export type Room = ReadonlyMap<number, number>;

/** What is in the queues of a store. */
export class Intake {
  readonly #records: Records;
  readonly #catalog: Catalog;

  constructor(records: Records, catalog: Catalog) {
    this.#records = records;
    this.#catalog = catalog;
  }

  /** The tasks' room by their numbers. */
  room(room: ReadonlyMap<string, number> | undefined): Room {
    const numbers = new Map<number, number>();
    room?.forEach((free, task) => {
      const number = this.#catalog.find(task);
      if (number !== undefined) numbers.set(number, free);
    });
    return numbers;
  }

  /** Index entries that want attention by now: at most `max`, and no more of a task than it has room for. */
  choose(queue: number, max: number, room: Room, now: Instant): readonly Chosen[] {
    const left = new Map(room);
    const chosen = this.#ended(queue, max, left, now);
    const lanes = this.#openLanes(queue, left, now);
    while (chosen.length < max && lanes.length > 0) {
      let earliest = lanes[0]!;
      for (const lane of lanes) if (Buffer.compare(laneTail(lane.key), laneTail(earliest.key)) < 0) earliest = lane;
      chosen.push({ indexKey: earliest.key, start: INDEXED_RECORD });
      const next = earliest.free > 1 && chosen.length < max ? earliest.keys.next() : { done: true, value: undefined };
      earliest.free -= 1;
      if (next.done) lanes.splice(lanes.indexOf(earliest), 1);
      else earliest.key = next.value as Buffer;
    }
    for (const lane of lanes) lane.keys.return?.();
    return chosen;
  }

  /** When the queue next wants attention, for tasks that have room; at most `now` if something does already. */
  nextAt(queue: number, room: Room, now: Instant): Instant {
    const { calendar, leases, waiting } = this.#records;
    const hasRoom = (task: number): boolean => (room.get(task) ?? 1) > 0;
    let next = Math.min(calendar.nextAt, leases.nextEnd(queue, now, hasRoom));
    for (const task of this.#catalog.partners(PAIRING.lane, queue)) {
      if (!hasRoom(task)) continue;
      const lane = bound(queue, task);
      const key = firstKey(waiting, lane, after(lane));
      if (key) next = Math.min(next, key.readUIntBE(LANE_INSTANT, 6));
    }
    return next;
  }

  /** Leases that have ended without a word. */
  #ended(queue: number, max: number, left: Map<number, number>, now: Instant): Chosen[] {
    const chosen: Chosen[] = [];
    for (const { key, task } of this.#records.leases.ended(queue, now)) {
      if (chosen.length === max) break;
      const free = left.get(task) ?? Infinity;
      if (free <= 0) continue;
      left.set(task, free - 1);
      chosen.push({ indexKey: key, start: LEASED_RECORD });
    }
    return chosen;
  }

  #openLanes(queue: number, left: ReadonlyMap<number, number>, now: Instant): Lane[] {
    const lanes: Lane[] = [];
    for (const task of this.#catalog.partners(PAIRING.lane, queue)) {
      const free = left.get(task) ?? Infinity;
      if (free <= 0) continue;
      const range = { start: bound(queue, task), end: bound(queue, task, Math.floor(now) + 1) };
      const keys = this.#records.waiting.getKeys(range)[Symbol.iterator]();
      const first = keys.next();
      if (!first.done) lanes.push({ keys, key: first.value, free });
    }
    return lanes;
  }
}

interface Lane {
  readonly keys: Iterator<Buffer>;
  key: Buffer;
  free: number;
}

function laneTail(key: Buffer): Buffer {
  return key.subarray(LANE_INSTANT);
}
