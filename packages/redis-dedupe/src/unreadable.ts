// Unreadable: tells of records that stand in a list and can't be read, once each.
//
// N1  A record that can't be read hides no others: lists and the sweep go on without it. But it is told, never left out silently.

import type { Finding } from './fitness.js';

const REMEMBERED = 1_000;

/** Tells of records that can't be read. */
export class Unreadable {
  readonly #onFinding: (finding: Finding) => void;
  readonly #told = new Set<string>();

  constructor(onFinding: (finding: Finding) => void) {
    this.#onFinding = onFinding;
  }

  /** Tells of the record under a key, unless it has done so before. */
  tell(key: Buffer, why: string): void {
    const name = quoted(key);
    if (this.#told.has(name)) return;
    if (this.#told.size === REMEMBERED) this.#told.clear();
    this.#told.add(name);
    const message = `The record under ${name} is left out of lists and of the sweep.`;
    this.#onFinding({ concern: 'unreadable', refused: false, message, next: why });
  }
}

/** A key as `redis-cli` takes it. */
function quoted(key: Buffer): string {
  const text = Array.from(key, (byte) => {
    const plain = byte > 31 && byte < 127 && byte !== 34 && byte !== 92;
    return plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  });
  return `"${text.join('')}"`;
}
