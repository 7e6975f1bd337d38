// Key names: where records and indexes stand in Redis.
//
// K1  A bucket is one hash tag, so what changes together is in one slot, and the buckets are spread over all slots.
// K2  Key names say nothing about persons: a record's is a hash of its identity. Queues, kinds and states are plain.

import { hash } from 'node:crypto';
import type { RecordKey } from '@carillon/core/spi';

const BUCKETS = 256;
const BUCKET = /^[0-9a-f]{2}$/;
const HASH_BYTES = 16;
/** The names of all keys below one prefix. */
export class KeyNames {
  readonly #prefixBytes: number;
  /** The start of every key of each bucket. */
  readonly bases: readonly Buffer[];

  constructor(prefix: string) {
    this.#prefixBytes = Buffer.byteLength(prefix);
    this.bases = Array.from({ length: BUCKETS }, (_, bucket) =>
      Buffer.from(`${prefix}{${bucket.toString(16).padStart(2, '0')}}`),
    );
  }

  /** The key of a record. */
  record(key: RecordKey): Buffer {
    const { kind, id, partition } = key;
    if (partition.includes('\0') || kind.includes('\0')) throw new TypeError('A kind or partition holds a NUL.');
    const digest = hash('sha256', `${kind}\0${id}\0${partition}`, 'binary'); // as bytes it takes three times as long
    const base = this.bases[bucketOf(partition)]!;
    const name = Buffer.allocUnsafe(base.length + HASH_BYTES);
    name.set(base);
    name.write(digest, base.length, HASH_BYTES, 'latin1');
    return name;
  }

  /** The bucket of any key. */
  bucket(key: Buffer): number {
    return Number.parseInt(key.toString('latin1', this.#prefixBytes + 1, this.#prefixBytes + 3), 16);
  }

  /** A key of an index. */
  index(bucket: number, letter: 'd' | 'l' | 'x', name: string): Buffer {
    return Buffer.concat([this.bases[bucket]!, Buffer.from(`:${letter}${name}`)]);
  }

  /** The key of the record that an index tells of. */
  member(bucket: number, hashed: Buffer): Buffer {
    return Buffer.concat([this.bases[bucket]!, hashed]);
  }
}

/** The bucket of a partition: its own number, as core writes it, else a hash. */
export function bucketOf(partition: string): number {
  if (BUCKET.test(partition)) return Number.parseInt(partition, 16);
  return hashed(partition) % BUCKETS;
}

/** A number below 2³² for a text (FNV-1a). */
export function hashed(text: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum >>> 0;
}
