// Environment: the one LMDB environment of a folder in this process: its tables, its transactions, its errors.
//
// E1  A transaction is all or nothing, and durable when `transact` returns unless it was asked for less.
// E2  Nothing but this file speaks to lmdb.
// E3  Nobody commits while somebody opens the data file: lmdb sets the shared transaction number to one that the opener
//     has read before, so a commit in between would be undone (LMDB's ITS#9496). Whoever opens or commits holds the
//     gate, the write lock of an environment of its own that nobody writes to.

import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { CarillonError } from '@carillon/core/spi';
import { open } from 'lmdb';
import type { RootDatabase, RootDatabaseOptionsWithPath } from 'lmdb';
import { keyEncoder } from './keys.js';
import type { StoreKey } from './keys.js';

const MAP_SIZE = 2 ** 36; // address space, not disk; the map grows by itself beyond it
const MOST_TABLES = 16;
const GATE_FILE = 'gate.mdb';
const DURABLE = 3; // abortable, synchronous
const NO_META_SYNC = 0x4_0000; // the last transactions may be undone by a power cut, nothing is torn
const LITTLE_SPACE = 16 * 1024 * 1024;

/** A range of keys: from `start` (included) to `end` (excluded). */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end: Uint8Array;
  readonly limit?: number;
}

/** One table: an ordered map from bytes to bytes. */
export interface Table {
  put(key: StoreKey, value: Uint8Array): unknown;
  /** Like `put`, and says whether it was done. */
  putSync(key: StoreKey, value: Uint8Array, options: { readonly noOverwrite: true }): boolean;
  remove(key: StoreKey): unknown;
  /** Like `remove`, and says whether there was something. */
  removeSync(key: StoreKey): boolean;
  getBinary(key: StoreKey): Buffer | undefined;
  /** Like `getBinary`, in a buffer that the next read overwrites: only its first `length` bytes count. */
  getBinaryFast(key: StoreKey): Buffer | undefined;
  getKeys(range: KeyRange): Iterable<Buffer>;
  getRange(range: KeyRange): Iterable<{ readonly key: Buffer; readonly value: Buffer }>;
}

/** What lmdb can do and its types do not say. */
interface Root extends Omit<RootDatabase, 'transactionSync'> {
  transactionSync(steps: () => void, flags: number): void;
  sync(callback: (error?: Error | null) => void): void;
  /** What `getStats` is made of: this much of it costs no walk through the free pages. */
  readonly env: { info(): { readonly lastTxnId: number } };
}

/** An open environment. */
export class Environment {
  readonly folder: string;
  readonly #root: Root;
  readonly #gate: Root;

  /** Opens the folder's store, and makes it if there is none. The folder must have been checked. */
  constructor(folder: string) {
    this.folder = folder;
    let gate: Root | undefined;
    let root: Root | undefined;
    try {
      gate = openRoot({ path: join(folder, GATE_FILE), noSubdir: true });
      gate.transactionSync(() => {
        root = openRoot({ path: folder, noSubdir: false, maxDbs: MOST_TABLES, mapSize: MAP_SIZE }); // E3
      }, DURABLE);
      this.#gate = gate;
      this.#root = root!;
    } catch (error) {
      void root?.close();
      void gate?.close();
      throw this.#explain(error);
    }
  }

  /** Opens a table, and makes it if there is none. */
  table(name: string): Table {
    let table: Table | undefined;
    this.#gate.transactionSync(() => {
      table = this.#root.openDB(name, { encoding: 'binary', keyEncoder } as never) as unknown as Table; // E3: it commits
    }, DURABLE);
    return table!;
  }

  /** Runs the steps in one transaction. What they throw undoes all of them. */
  transact(steps: () => void, durable: boolean): void {
    try {
      this.#gate.transactionSync(() => {
        this.#root.transactionSync(
          () => {
            steps(); // returns nothing: a promise would keep the transaction open
          },
          durable ? DURABLE : DURABLE | NO_META_SYNC,
        );
      }, DURABLE); // E3
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** Makes everything that was committed before durable. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#root.sync((error) => (error ? reject(this.#explain(error)) : resolve()));
    });
  }

  /** A number that changes with every transaction of any process. */
  lastTransaction(): number {
    return this.#root.env.info().lastTxnId;
  }

  /** The same for the last one that a read from here on sees: the number of another stands in the file before it is
   *  flushed, and is read only then. So this waits while somebody commits. */
  lastVisible(): number {
    let last = 0;
    this.#gate.transactionSync(() => {
      last = this.lastTransaction();
    }, DURABLE); // E3
    return last;
  }

  /** Makes the next read see what other processes have committed. */
  refresh(): void {
    this.#root.resetReadTxn();
  }

  /** Frees the readers that dead processes have left behind, whose pages could not be used again; answers how many. */
  clearReaders(): number {
    return this.#root.readerCheck();
  }

  /** Copies the store to an empty folder, while others write. */
  async backup(folder: string): Promise<void> {
    try {
      await this.#root.backup(folder, true);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  async close(): Promise<void> {
    await this.#root.close();
    await this.#gate.close();
  }

  #explain(error: unknown): unknown {
    if (!(error instanceof Error) || CarillonError.is(error)) return error;
    const { code } = error as { code?: unknown };
    const full = code === 28 || code === 'ENOSPC' || /MDB_MAP_FULL|No space left/.test(error.message);
    if (full || ((code === 5 || code === 'EIO') && this.#isNearlyFull())) {
      return new CarillonError('E_STORE_FULL', `The disk of ${this.folder} is full.`, {
        next: 'Make room: nothing that was answered is lost, and the store goes on when there is room.',
        cause: error,
      });
    }
    if (/MDB_(CORRUPTED|PAGE_NOTFOUND|INVALID|PANIC|BAD_TXN)/.test(error.message) || code === 5) {
      return new CarillonError('E_STORE_DAMAGED', `The store in ${this.folder} cannot be read or written.`, {
        next: 'Check the disk; restore the folder from a backup if it stays so.',
        cause: error,
      });
    }
    return error;
  }

  #isNearlyFull(): boolean {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize < LITTLE_SPACE;
  }
}

/** The keys of a range, all at once, so that the table may change meanwhile. */
export function keysIn(table: Table, range: KeyRange): Buffer[] {
  return Array.from(table.getKeys({ ...range })); // a copy: lmdb notes in it that only keys are wanted
}

function openRoot(options: RootDatabaseOptionsWithPath): Root {
  const overlappingSync = false; // plain LMDB: a commit is flushed, then its meta page, before anybody sees it
  return open({ ...options, encoding: 'binary', keyEncoding: 'binary', overlappingSync }) as unknown as Root;
}

/** The first key in a range. */
export function firstKey(table: Table, start: Uint8Array, end: Uint8Array): Buffer | undefined {
  for (const key of table.getKeys({ start, end, limit: 1 })) return key;
  return undefined;
}
