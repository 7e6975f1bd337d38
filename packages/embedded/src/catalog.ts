// Catalog: short numbers for the names that every record repeats, and what is known of how they occur together.
//
// G1  A number is never given twice, and is written in the transaction that first uses it.
// G2  What this process remembers is what the store holds: it reads on when another process has added something, and
//     forgets what an aborted transaction had added.

import { CarillonError } from '@carillon/core/spi';
import type { Table } from './environment.js';

const MOST_NAMES = 65_535;
const NAME = 0x4e;
const PAIR = 0x50;
const NONE: ReadonlySet<number> = new Set();

/** How two names occur together: tasks in a queue, states of open and of settled records of a kind. */
export const PAIRING = { lane: 0, open: 1, settled: 2 } as const;
type Pairing = (typeof PAIRING)[keyof typeof PAIRING];

/** Names and pairs of names, as the store knows them. */
export class Catalog {
  readonly #table: Table;
  readonly #names: string[] = []; // number − 1 → name
  readonly #numbers = new Map<string, number>();
  readonly #partners = Object.values(PAIRING).map(() => new Map<number, Set<number>>());
  #entries = 0;
  #added = 0;

  constructor(table: Table) {
    this.#table = table;
  }

  /** The number of a name; gives it one if it has none. Only inside of a transaction. */
  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    if (this.#names.length >= MOST_NAMES) {
      throw new CarillonError('E_OPTIONS', `The store knows ${MOST_NAMES} names and cannot take "${name}".`, {
        next: 'Use fewer names of queues, tasks, states and kinds.',
      });
    }
    this.#append(Buffer.concat([Buffer.from([NAME]), Buffer.from(name)]));
    return this.#numbers.get(name)!;
  }

  /** The number of a name, if it has one. */
  find(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  /** The name behind a number. */
  name(number: number): string {
    const name = this.#names[number - 1];
    if (name === undefined) throw damaged(`The name with the number ${number} is missing.`);
    return name;
  }

  /** Remembers that two names occur together. Only inside of a transaction. */
  pair(pairing: Pairing, first: number, second: number): void {
    if (this.#partners[pairing]!.get(first)?.has(second)) return;
    const bytes = Buffer.alloc(6);
    bytes[0] = PAIR;
    bytes[1] = pairing;
    bytes.writeUInt16BE(first, 2);
    bytes.writeUInt16BE(second, 4);
    this.#append(bytes);
  }

  /** With which names a name has occurred. */
  partners(pairing: Pairing, first: number): ReadonlySet<number> {
    return this.#partners[pairing]!.get(first) ?? NONE;
  }

  /** Every name that has occurred as the first of such a pair. */
  firsts(pairing: Pairing): Iterable<number> {
    return this.#partners[pairing]!.keys();
  }

  /** Learns what other processes have added (G2). */
  refresh(): void {
    for (;;) {
      const value = this.#table.getBinary(entryKey(this.#entries));
      if (value === undefined) break;
      this.#learn(value);
    }
    this.#added = 0;
  }

  /** What the transaction has added is part of the store. */
  keep(): void {
    this.#added = 0;
  }

  /** Forgets what the aborted transaction had added (G2). */
  forget(): void {
    if (this.#added === 0) return;
    this.#names.length = 0;
    this.#numbers.clear();
    for (const partners of this.#partners) partners.clear();
    this.#entries = 0;
    this.refresh();
  }

  #append(entry: Buffer): void {
    this.#table.put(entryKey(this.#entries), entry);
    this.#learn(entry);
    this.#added += 1;
  }

  #learn(entry: Uint8Array): void {
    const bytes = Buffer.from(entry);
    this.#entries += 1;
    if (bytes[0] === NAME) {
      const name = bytes.toString('utf8', 1);
      this.#names.push(name);
      this.#numbers.set(name, this.#names.length);
      return;
    }
    const partners = this.#partners[bytes[1]!];
    if (bytes[0] !== PAIR || partners === undefined) throw damaged('The catalog has an entry that cannot be read.');
    const first = bytes.readUInt16BE(2);
    const second = bytes.readUInt16BE(4);
    const known = partners.get(first);
    if (known) known.add(second);
    else partners.set(first, new Set([second]));
  }
}

function entryKey(index: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32BE(index);
  return key;
}

function damaged(what: string): CarillonError {
  return new CarillonError('E_STORE_DAMAGED', what, { next: 'Restore the folder from a backup.' });
}
