// Acknowledged: what the servers have confirmed lately, to tell what a failover or a restart has taken back.
//
// A1  A write is found lost if the record is older than it, or gone before its time, or if a holder's last word is not what
//     stands there. What others did meanwhile never passes for a loss, and hides none of a last word.
// A2  So many of the latest writes are remembered, in a ring; only the last one of a record counts.
// A3  To remember costs a holder next to nothing: numbers in one piece of memory, and the key that is there anyway. Objects that
//     live this long would be a sixth of what the client takes.

import type { Change, LostWrite, RecordKey, Write } from '@carillon/core/spi';
import { hashed } from './key-names.js';
import { markOf } from './mark.js';
import { nonceIn, unpackRecord } from './record-codec.js';
import { FORMAT } from './scripts/record.js';
import { FIRST_DIGIT, MARK_UNITS } from './scripts/mark.js';

const REMEMBERED = 16_000;
const NUMBERS = 5;
const FORGOTTEN = 0; // a version that no write has

/** The latest confirmed write of a record. */
interface Confirmed extends LostWrite {
  readonly version: number;
  readonly generation: number;
  readonly expiresAt: number;
  /** Its nonce, hashed. */
  readonly nonce: number;
  /** The mark of a record that a holder has settled, 0 if it is kept whole; NaN for any other write. */
  readonly lastWord: number;
}

/** Remembers confirmed writes. */
export class Acknowledged {
  readonly #keys: RecordKey[] = [];
  readonly #tasks: string[] = [];
  readonly #numbers = new Float64Array(REMEMBERED * NUMBERS); // A3
  #next = 0;

  /** Remembers what a confirmed change wrote. */
  note({ nonce, writes }: Change): void {
    for (const write of writes) {
      if (write.do === 'put') this.#put(write, nonce);
      if (write.do === 'remove') this.#forget(write.key);
    }
  }

  /** Forgets writes: their loss has been told. */
  forget(writes: readonly LostWrite[]): void {
    for (const { key } of writes) this.#forget(key);
  }

  /** The writes that are remembered (A2). */
  all(): readonly Confirmed[] {
    const latest = new Map<string, Confirmed>();
    for (let age = this.#keys.length; age > 0; age -= 1) {
      const write = this.#at((this.#next - age + REMEMBERED) % REMEMBERED);
      latest.set(nameOf(write.key), write);
    }
    return [...latest.values()].filter(({ version }) => version !== FORGOTTEN);
  }

  #at(place: number): Confirmed {
    const from = place * NUMBERS;
    const [version, generation, expiresAt, nonce, lastWord] = this.#numbers.subarray(from, from + NUMBERS);
    const key = this.#keys[place]!;
    const task = this.#tasks[place]!;
    return {
      key,
      task,
      version: version!,
      generation: generation!,
      expiresAt: expiresAt!,
      nonce: nonce!,
      lastWord: lastWord!,
    };
  }

  #put({ key, expect, content }: Write & { do: 'put' }, nonce: string): void {
    const from = this.#begin(key, content.task);
    const isLastWord = content.wakeAt === undefined && 'fence' in expect;
    this.#numbers[from] = 'version' in expect ? expect.version + 1 : 1;
    this.#numbers[from + 1] = content.generation;
    this.#numbers[from + 2] = content.expiresAt ?? Infinity;
    this.#numbers[from + 3] = hashed(nonce);
    this.#numbers[from + 4] = isLastWord ? markOf(content, nonce) : NaN;
  }

  #forget(key: RecordKey): void {
    this.#numbers[this.#begin(key, '')] = FORGOTTEN;
  }

  /** Takes the next place of the ring, and answers where its numbers begin. */
  #begin(key: RecordKey, task: string): number {
    const place = this.#next;
    this.#next = (place + 1) % REMEMBERED;
    this.#keys[place] = key;
    this.#tasks[place] = task;
    return place * NUMBERS;
  }
}

/** Whether a confirmed write is lost, by what stands under its key now (A1). */
export function isLost(write: Confirmed, found: Buffer, now: number): boolean {
  const { key, version, generation, nonce, expiresAt, lastWord } = write;
  const isLastWord = !Number.isNaN(lastWord);
  if (found.length === 0) return expiresAt > now;
  if (found[0]! >= FIRST_DIGIT) {
    const mark = Number(found.toString('latin1'));
    return isLastWord && identityOf(mark) !== identityOf(lastWord);
  }
  if (found[0] !== FORMAT) return false; // it can't be read, which is another matter
  const record = unpackRecord(key, found);
  if (record.version < version) return true;
  return isLastWord && record.generation <= generation && hashed(nonceIn(found)) !== nonce;
}

function identityOf(mark: number): number {
  return Math.floor(mark / MARK_UNITS.identity);
}

function nameOf({ kind, id }: RecordKey): string {
  return `${kind}\0${id}`;
}
