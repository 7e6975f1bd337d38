// Keys: the byte order of every table, composed in one scratch so that no key costs an allocation.
//
// K1  A record's key is kind and id, without the partition, which means nothing here; ids that grow append to the table.
// K2  Every index key ends in the record's key, so an index entry alone says which record it stands for.
// K3  Instants are stored as 6 bytes, rounded up: an index never claims that something is due before it is.

import { CarillonError } from '@carillon/core/spi';
import type { Instant, RecordKey } from '@carillon/core/spi';

const PREFIX = 10; // room before the record's key for queue, lane and instant, or kind, state and instant
const LONGEST = 900;
/** The latest instant that an index can hold. */
export const FOREVER = 2 ** 48 - 1;

/** A part of the scratch: what LMDB is given as a key. */
export interface Span {
  start: number;
  end: number;
}

/** A key for LMDB: a part of the scratch, or bytes of its own. */
export type StoreKey = Span | Uint8Array;

const scratch = Buffer.alloc(PREFIX + LONGEST + 8);
const recordSpan: Span = { start: PREFIX, end: PREFIX };
const indexSpan: Span = { start: 0, end: PREFIX };
const bucketSpan: Span = { start: PREFIX - 4, end: PREFIX };

/** How lmdb reads and writes our keys. */
export const keyEncoder = {
  writeKey(key: StoreKey, target: Uint8Array, start: number): number {
    if (key instanceof Uint8Array) {
      target.set(key, start);
      return start + key.length;
    }
    const { end } = key;
    let at = start;
    for (let i = key.start; i < end; i += 1) target[at++] = scratch[i]!;
    return at;
  },
  readKey(target: Uint8Array, start: number, end: number): Buffer {
    const key = Buffer.allocUnsafe(end - start);
    for (let i = start; i < end; i += 1) key[i - start] = target[i]!;
    return key;
  },
};

/** Throws `E_ID` unless the id can be stored. */
export function checkId({ id }: RecordKey): void {
  if (id.length > 0 && (id.length * 3 <= LONGEST || Buffer.byteLength(id) <= LONGEST)) return;
  throw new CarillonError('E_ID', `The embedded store cannot keep a record with an id of ${id.length} characters.`, {
    next: `Use ids of 1 to ${LONGEST} bytes.`,
  });
}

/** Composes a record's key in the scratch; the spans below stand for it until the next call. */
export function aimAt(kind: number, id: string): Span {
  scratch[PREFIX] = kind >> 8;
  scratch[PREFIX + 1] = kind;
  const end = writeText(id, PREFIX + 2);
  recordSpan.end = indexSpan.end = bucketSpan.end = end;
  return recordSpan;
}

/** The same from bytes that hold the record's key from `start` on. */
export function aimAtBytes(bytes: Uint8Array, start: number): Span {
  let end = PREFIX;
  for (let i = start; i < bytes.length; i += 1) scratch[end++] = bytes[i]!;
  recordSpan.end = indexSpan.end = bucketSpan.end = end;
  return recordSpan;
}

/** The key of the record that was last aimed at. */
export function recordKey(): Span {
  return recordSpan;
}

/** Its key in the index of waiting records: queue, task, attention time. */
export function waitingKey(queue: number, task: number, at: Instant): Span {
  writePrefix(queue, task, at);
  return indexSpan;
}

/** Its key in the index of settled records: kind, state, end of retention. */
export function settledKey(kind: number, state: number, expiresAt: Instant | undefined): Span {
  writePrefix(kind, state, expiresAt ?? FOREVER);
  return indexSpan;
}

/** Its key in a level of the calendar: the number of the bucket. */
export function bucketKey(bucket: number): Span {
  scratch[PREFIX - 4] = bucket >>> 24;
  scratch[PREFIX - 3] = bucket >>> 16;
  scratch[PREFIX - 2] = bucket >>> 8;
  scratch[PREFIX - 1] = bucket;
  return bucketSpan;
}

/** The start of a range: a bucket of the calendar. */
export function bucketBound(bucket: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(bucket);
  return bytes;
}

/** The start of a range: up to two numbers and an instant. */
export function bound(first: number, second?: number, at?: Instant): Buffer {
  const bytes = Buffer.alloc(second === undefined ? 2 : at === undefined ? 4 : 10);
  bytes.writeUInt16BE(first, 0);
  if (second !== undefined) bytes.writeUInt16BE(second, 2);
  if (second !== undefined && at !== undefined) bytes.writeUIntBE(toStored(at), 4, 6);
  return bytes;
}

/** The first key after all that begin like this. */
export function after(prefix: Uint8Array): Buffer {
  const bytes = Buffer.from(prefix);
  for (let i = bytes.length - 1; i >= 0; i -= 1) {
    bytes[i] = (bytes[i]! + 1) & 255;
    if (bytes[i] !== 0) break;
  }
  return bytes;
}

/** Where the record's key begins in a key of the waiting or the settled index. */
export const INDEXED_RECORD = PREFIX;
/** Where the record's key begins in a key of the leases. */
export const LEASED_RECORD = 0;
/** Where the record's key begins in a key of the calendar. */
export const BUCKETED_RECORD = 4;

/** The kind's number in a record's key that begins at `start`. */
export function kindIn(bytes: Buffer, start: number): number {
  return bytes.readUInt16BE(start);
}

/** The id in a record's key that begins at `start`. */
export function idIn(bytes: Buffer, start: number): string {
  return bytes.toString('utf8', start + 2);
}

/** An instant as indexes hold it. */
export function toStored(at: Instant): number {
  return at >= FOREVER ? FOREVER : at > 0 ? Math.ceil(at) : 0;
}

function writePrefix(first: number, second: number, at: Instant): void {
  const ms = toStored(at);
  const high = Math.floor(ms / 2 ** 32);
  const low = ms >>> 0;
  scratch[0] = first >> 8;
  scratch[1] = first;
  scratch[2] = second >> 8;
  scratch[3] = second;
  scratch[4] = high >> 8;
  scratch[5] = high;
  scratch[6] = low >>> 24;
  scratch[7] = low >>> 16;
  scratch[8] = low >>> 8;
  scratch[9] = low;
}

function writeText(text: string, start: number): number {
  let at = start;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > 127) return start + scratch.write(text, start, 'utf8');
    scratch[at++] = code;
  }
  return at;
}
