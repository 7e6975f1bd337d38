// Removals: which changes removed the latest records, so that a repeat of one is recognised though nothing is left (L4).

import type { RecordKey } from '@carillon/core/spi';

const MOST_KEPT = 1000;

/** What finds a record: its key without the partition. */
export type RecordName = Pick<RecordKey, 'kind' | 'id'>;

/** The latest removals in this process. */
export class Removals {
  readonly #nonces = new Map<string, string>();

  /** Notes that a change has removed a record. */
  note(key: RecordName, nonce: string): void {
    this.#nonces.set(identityOf(key), nonce);
    for (const oldest of this.#nonces.keys()) {
      if (this.#nonces.size <= MOST_KEPT) break;
      this.#nonces.delete(oldest);
    }
  }

  /** Whether this change removed the record. */
  has(key: RecordName, nonce: string): boolean {
    return this.#nonces.size > 0 && this.#nonces.get(identityOf(key)) === nonce;
  }
}

function identityOf({ kind, id }: RecordName): string {
  return `${kind}\0${id}`;
}
