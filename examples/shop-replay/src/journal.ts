// Journal: a file that only grows, one JSON line an entry.
//
// L1  An entry is on disk when `append` resolves; entries that come while the disk is busy share the next flush.
// L2  Entries stand in the order in which they were appended.

import { type FileHandle, open, readFile } from 'node:fs/promises';

/** A journal that this process writes. */
export class Journal<Entry> {
  readonly #file: FileHandle;
  #lines: string[] = [];
  /** The flush that runs, or ran last, and the one that comes after it. */
  #flushed = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Opens a journal, or begins one. */
  static async open<Entry>(path: string): Promise<Journal<Entry>> {
    return new Journal<Entry>(await open(path, 'a'));
  }

  /** Appends an entry; resolves when it is on disk (L1). */
  append(entry: Entry): Promise<void> {
    this.#lines.push(`${JSON.stringify(entry)}\n`); // L2
    this.#next ??= this.#flushed.then(() => this.#flush());
    return this.#next;
  }

  #flush(): Promise<void> {
    const text = this.#lines.join('');
    this.#lines = [];
    this.#next = undefined;
    this.#flushed = this.#file.appendFile(text).then(() => this.#file.datasync());
    return this.#flushed;
  }
}

/** Reads a journal; it may still be written, so a last line without its end is left out. */
export async function readJournal<Entry>(path: string): Promise<Entry[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Entry);
}
