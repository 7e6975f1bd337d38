// Acknowledged: what the servers have confirmed lately, to tell what a failover or a restart has taken back.
//
// A1  A write is found lost if the record is older than it, or gone before its time, or if a holder's last word is not what
//     stands there. What others did meanwhile never passes for a loss, and hides none of a last word.
// A2  So many of the latest writes are remembered, in a ring; only the last one of a record counts.

import type { Change, LostWrite, RecordKey, Write } from '@carillon/core/spi';
import { markOf } from './mark.js';
import { nonceIn, unpackRecord } from './record-codec.js';
import { FORMAT } from './scripts/record.js';
import { FIRST_DIGIT, MARK_UNITS } from './scripts/mark.js';

const REMEMBERED = 16_000;

/** The latest confirmed write of a record. */
interface Confirmed extends LostWrite {
  readonly version: number;
  readonly generation: number;
  readonly nonce: string;
  readonly expiresAt: number;
  readonly state: string;
  readonly brief: string | undefined;
  /** A holder has settled the record with it. */
  readonly isLastWord: boolean;
}

/** A record of which nothing is remembered any more: it was removed, or its loss has been told. */
interface Forgotten {
  readonly key: RecordKey;
  readonly version: undefined;
}

/** Remembers confirmed writes. */
export class Acknowledged {
  readonly #ring: (Confirmed | Forgotten)[] = [];
  #oldest = 0;

  /** Remembers what a confirmed change wrote. */
  note({ nonce, writes }: Change): void {
    for (const write of writes) {
      if (write.do === 'put') this.#add(confirmed(write, nonce));
      if (write.do === 'remove') this.#add({ key: write.key, version: undefined });
    }
  }

  /** Forgets writes: their loss has been told. */
  forget(writes: readonly LostWrite[]): void {
    for (const { key } of writes) this.#add({ key, version: undefined });
  }

  /** The writes that are remembered (A2). */
  all(): readonly Confirmed[] {
    const latest = new Map<string, Confirmed | Forgotten>();
    const inOrder = [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)];
    for (const write of inOrder) latest.set(nameOf(write.key), write);
    return [...latest.values()].filter((write) => write.version !== undefined);
  }

  #add(write: Confirmed | Forgotten): void {
    if (this.#ring.length < REMEMBERED) {
      this.#ring.push(write);
    } else {
      this.#ring[this.#oldest] = write;
      this.#oldest = (this.#oldest + 1) % REMEMBERED;
    }
  }
}

function confirmed({ key, expect, content }: Write & { do: 'put' }, nonce: string): Confirmed {
  const { task, generation, expiresAt = Infinity, state, brief } = content;
  const version = 'version' in expect ? expect.version + 1 : 1;
  const isLastWord = content.wakeAt === undefined && 'fence' in expect;
  return { key, task, version, generation, nonce, expiresAt, state, brief, isLastWord };
}

/** Whether a confirmed write is lost, by what stands under its key now (A1). */
export function isLost(write: Confirmed, found: Buffer, now: number): boolean {
  const { key, version, generation, nonce, expiresAt, isLastWord } = write;
  if (found.length === 0) return expiresAt > now;
  if (found[0]! >= FIRST_DIGIT) {
    const mark = Number(found.toString('latin1'));
    return isLastWord && identityOf(mark) !== identityOf(markOf(write, nonce));
  }
  if (found[0] !== FORMAT) return false; // it can't be read, which is another matter
  const record = unpackRecord(key, found);
  if (record.version < version) return true;
  return isLastWord && record.generation <= generation && nonceIn(found) !== nonce;
}

function identityOf(mark: number): number {
  return Math.floor(mark / MARK_UNITS.identity);
}

function nameOf({ kind, id }: RecordKey): string {
  return `${kind}\0${id}`;
}
