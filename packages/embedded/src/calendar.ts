// Calendar: where records stand that want attention at a time: near ones exactly, far ones in buckets of days and months.
//
// K1  Every open, unleased record has one entry: in `waiting` below the first horizon, in `days` below the second, else in
//     `months`. A bucket whose turn has come is moved down in slices, so its entries may stand one level lower already.
// K2  Within a bucket entries stand by id, so ids that grow append to a few tails, however many records are pending: an
//     exact index would touch a page of its own for each far one.
// K3  A bucket is moved at least one DAY before its first entry is due.

import type { Instant } from '@carillon/core/spi';
import type { Environment, Table } from './environment.js';
import { BUCKETED_RECORD, aimAtBytes, bucketBound, bucketKey, toStored, waitingKey } from './keys.js';

const DAY_MS = 2 ** 26; // 18.6 hours
const MONTH_MS = 2 ** 31; // 24.9 days
const MOST_MOVED = 500; // entries per transaction
const NOTHING = Buffer.alloc(0);
const HORIZONS = Buffer.from('horizons');
const entry = Buffer.allocUnsafeSlow(10);

/** The waiting records of a store by time. */
export class Calendar {
  readonly days: Table;
  readonly months: Table;
  readonly #waiting: Table;
  readonly #horizons: Table;
  #stored = false;
  #near = 0; // below: in `waiting`
  #far = 0; // below: in `days`

  constructor(environment: Environment, waiting: Table) {
    this.#waiting = waiting;
    this.days = environment.table('days');
    this.months = environment.table('months');
    this.#horizons = environment.table('horizons');
  }

  /** Everything before this stands in `waiting`. */
  get near(): Instant {
    return this.#near;
  }

  /** When a bucket is to be moved next. */
  get nextAt(): Instant {
    return this.#near - DAY_MS;
  }

  /** Reads how far the moving has come in any process. */
  refresh(now: Instant): void {
    const stored = this.#horizons.getBinaryFast(HORIZONS);
    this.#stored = stored !== undefined;
    if (stored) {
      this.#near = stored.readDoubleBE(0);
      this.#far = stored.readDoubleBE(8);
      return;
    }
    this.#near = (Math.floor(Math.max(0, now) / DAY_MS) + 2) * DAY_MS;
    this.#far = Math.ceil(this.#near / MONTH_MS) * MONTH_MS;
  }

  /** Enters the record that was aimed at. */
  file(queue: number, task: number, at: Instant): void {
    if (at < this.#near) {
      this.#waiting.put(waitingKey(queue, task, at), NOTHING);
      return;
    }
    const stored = toStored(at);
    entry.writeUInt16BE(queue, 0);
    entry.writeUInt16BE(task, 2);
    entry.writeUIntBE(stored, 4, 6);
    if (at < this.#far) this.days.put(bucketKey(Math.floor(stored / DAY_MS)), entry);
    else this.months.put(bucketKey(Math.floor(stored / MONTH_MS)), entry);
  }

  /** Strikes the record that was aimed at, wherever it stands. */
  unfile(queue: number, task: number, at: Instant): void {
    const stored = toStored(at);
    if (at >= this.#far && this.months.removeSync(bucketKey(Math.floor(stored / MONTH_MS)))) return;
    if (at >= this.#near && this.days.removeSync(bucketKey(Math.floor(stored / DAY_MS)))) return;
    this.#waiting.remove(waitingKey(queue, task, at));
  }

  /** Moves buckets whose turn has come, a slice at a time (K3), and tells what stands in `waiting` by that. Inside of a
   *  transaction, and the first thing in it. */
  bringForward(now: Instant, moved: (queue: number, at: Instant) => void): void {
    let room = MOST_MOVED;
    let mustSave = !this.#stored;
    while (room > 0 && this.nextAt <= now) {
      const fromMonths = this.#near >= this.#far;
      const slice = fromMonths
        ? takeSlice(this.months, Math.floor(this.#far / MONTH_MS), room)
        : takeSlice(this.days, Math.floor(this.#near / DAY_MS), room);
      for (const { key, value } of slice) {
        aimAtBytes(key, BUCKETED_RECORD);
        const at = value.readUIntBE(4, 6);
        const queue = value.readUInt16BE(0);
        if (fromMonths) this.days.put(bucketKey(Math.floor(at / DAY_MS)), value);
        else {
          this.#waiting.put(waitingKey(queue, value.readUInt16BE(2), at), NOTHING);
          moved(queue, at);
        }
      }
      room -= slice.length;
      if (room === 0) break;
      if (fromMonths) this.#far += MONTH_MS;
      else this.#near += DAY_MS;
      mustSave = true;
    }
    if (mustSave) this.#save();
  }

  #save(): void {
    const bytes = Buffer.allocUnsafe(16);
    bytes.writeDoubleBE(this.#near, 0);
    bytes.writeDoubleBE(this.#far, 8);
    this.#horizons.put(HORIZONS, bytes);
  }
}

/** Takes entries out of a bucket, in the order of their times, so that they are filed side by side. */
function takeSlice(table: Table, bucket: number, limit: number): readonly { key: Buffer; value: Buffer }[] {
  const range = { start: bucketBound(bucket), end: bucketBound(bucket + 1), limit };
  const slice = Array.from(table.getRange(range), ({ key, value }) => ({ key, value: Buffer.from(value) }));
  for (const { key } of slice) table.remove(key);
  return slice.toSorted((a, b) => a.value.readUIntBE(4, 6) - b.value.readUIntBE(4, 6));
}
