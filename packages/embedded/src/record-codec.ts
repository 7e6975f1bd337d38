// Record codec: a record as bytes. A head of numbers and short texts, then a tail (outbox, body) that most steps only copy.
//
// R1  The first byte is the format; a later format says so there, and this reader refuses what it does not know.
// R2  A claim or a renewal rewrites the head and copies the tail byte for byte.

import { CarillonError } from '@carillon/core/spi';
import type { Instant, Lease, LedgerRecord, OutboxEntry, RecordContent, RecordKey } from '@carillon/core/spi';
import type { Catalog } from './catalog.js';

const FORMAT = 1;
const DURABLE = 1;
const SETTLED = 2;
const EXPIRES = 4;
const WAKE_IS_DUE = 8;
const LEASED = 16;
const INTERRUPTED = 32;
const OUTBOX = 64;
const PARTITION = 128;
const FENCE = 256;
const FIXED = 29; // bytes before what only some records have

/** A lease as stored: with the number of the process that holds it. */
interface StoredLease extends Lease {
  readonly process: number;
}

/** Everything in a record but its tail. */
export interface Head {
  queue: number;
  task: number;
  state: number;
  version: number;
  generation: number;
  fence: number;
  dueAt: Instant;
  wakeAt: Instant | undefined;
  expiresAt: Instant | undefined;
  durableGrant: boolean;
  nonce: string;
  /** Missing if it is the id. */
  partition: string | undefined;
  lease: StoredLease | undefined;
  interrupted: readonly Lease[];
  hasOutbox: boolean;
  /** Where the tail begins in the bytes that this was read from. */
  tail: number;
}

const NONE: readonly never[] = Object.freeze([]);

let scratch = Buffer.allocUnsafeSlow(64 * 1024);
let view = new DataView(scratch.buffer);
let at = 0;
let source: Buffer = scratch;
let sourceView: DataView = view;

/** Reads the head of a stored record. */
export function readHead(bytes: Buffer): Head {
  if (bytes[0] !== FORMAT) throw unreadable(bytes[0]);
  readFrom(bytes);
  const flags = sourceView.getUint16(1, true);
  const dueAt = sourceView.getFloat64(21, true);
  at = FIXED;
  const fence = (flags & FENCE) !== 0 ? readNumber() : 0;
  const wakeAt = (flags & SETTLED) !== 0 ? undefined : (flags & WAKE_IS_DUE) !== 0 ? dueAt : readNumber();
  const expiresAt = (flags & EXPIRES) !== 0 ? readNumber() : undefined;
  const nonce = readText();
  const partition = (flags & PARTITION) !== 0 ? readText() : undefined;
  const lease = (flags & LEASED) !== 0 ? { ...readLease(), process: readNumber() } : undefined;
  const interrupted = (flags & INTERRUPTED) !== 0 ? readMany(readLease) : NONE;
  return {
    queue: sourceView.getUint16(3, true),
    task: sourceView.getUint16(5, true),
    state: sourceView.getUint16(7, true),
    version: sourceView.getUint32(9, true),
    generation: sourceView.getFloat64(13, true),
    fence,
    dueAt,
    wakeAt,
    expiresAt,
    durableGrant: (flags & DURABLE) !== 0,
    nonce,
    partition,
    lease,
    interrupted,
    hasOutbox: (flags & OUTBOX) !== 0,
    tail: at,
  };
}

/** The whole record, as the port describes it. `size` is the length of the stored bytes. */
export function readRecord(
  { kind, id }: Pick<RecordKey, 'kind' | 'id'>,
  head: Head,
  bytes: Buffer,
  size: number,
  catalog: Catalog,
): LedgerRecord {
  let bodyAt = head.tail;
  let outbox: readonly OutboxEntry[] = NONE;
  if (head.hasOutbox) {
    readFrom(bytes);
    at = head.tail;
    outbox = readMany(readOutboxEntry);
    bodyAt = at;
  }
  const { lease } = head;
  return {
    key: { kind, id, partition: head.partition ?? id },
    version: head.version,
    generation: head.generation,
    fence: head.fence,
    queue: catalog.name(head.queue),
    task: catalog.name(head.task),
    state: catalog.name(head.state),
    dueAt: head.dueAt,
    wakeAt: head.wakeAt,
    expiresAt: head.expiresAt,
    durableGrant: head.durableGrant,
    lease: lease && { holder: lease.holder, nonce: lease.nonce, since: lease.since, until: lease.until },
    interrupted: head.interrupted,
    body: bytes.toString('utf8', bodyAt, size),
    outbox,
  };
}

/** The bytes of a record; valid until the next call of a function of this file. */
export function writeRecord(head: Head, content: Pick<RecordContent, 'body' | 'outbox'>): Buffer {
  const { body, outbox } = content;
  head.hasOutbox = outbox.length > 0;
  writeHead(head);
  if (head.hasOutbox) {
    writeNumber(outbox.length);
    for (const entry of outbox) writeOutboxEntry(entry);
  }
  reserve(body.length * 3);
  at += scratch.write(body, at, 'utf8');
  return scratch.subarray(0, at);
}

/** The bytes of a record with a new head and the tail that stands in `bytes` (R2). */
export function rewriteRecord(head: Head, bytes: Buffer, size: number): Buffer {
  const tail = head.tail;
  writeHead(head);
  reserve(size - tail);
  at += bytes.copy(scratch, at, tail, size);
  return scratch.subarray(0, at);
}

function writeHead(head: Head): void {
  const { fence, dueAt, wakeAt, expiresAt, partition, lease, interrupted } = head;
  const flags =
    (head.durableGrant ? DURABLE : 0) |
    (wakeAt === undefined ? SETTLED : wakeAt === dueAt ? WAKE_IS_DUE : 0) |
    (expiresAt === undefined ? 0 : EXPIRES) |
    (lease ? LEASED : 0) |
    (interrupted.length > 0 ? INTERRUPTED : 0) |
    (head.hasOutbox ? OUTBOX : 0) |
    (partition === undefined ? 0 : PARTITION) |
    (fence === 0 ? 0 : FENCE);
  at = 0;
  reserve(FIXED);
  view.setUint8(0, FORMAT);
  view.setUint16(1, flags, true);
  view.setUint16(3, head.queue, true);
  view.setUint16(5, head.task, true);
  view.setUint16(7, head.state, true);
  view.setUint32(9, head.version, true);
  view.setFloat64(13, head.generation, true);
  view.setFloat64(21, dueAt, true);
  at = FIXED;
  if (fence !== 0) writeNumber(fence);
  if (wakeAt !== undefined && wakeAt !== dueAt) writeNumber(wakeAt);
  if (expiresAt !== undefined) writeNumber(expiresAt);
  writeText(head.nonce);
  if (partition !== undefined) writeText(partition);
  if (lease) {
    writeLease(lease);
    writeNumber(lease.process);
  }
  if (interrupted.length > 0) {
    writeNumber(interrupted.length);
    for (const ended of interrupted) writeLease(ended);
  }
}

function writeLease(lease: Lease): void {
  writeText(lease.holder);
  writeText(lease.nonce);
  writeNumber(lease.since);
  writeNumber(lease.until);
}

function writeOutboxEntry({ message, wakeAt }: OutboxEntry): void {
  writeText(message.id);
  writeText(message.queue);
  writeNumber(message.deliverAt);
  writeNumber(wakeAt);
  writeNumber(message.body.length);
  reserve(message.body.length);
  scratch.set(message.body, at);
  at += message.body.length;
}

function writeNumber(value: number): void {
  reserve(8);
  view.setFloat64(at, value, true);
  at += 8;
}

/** A length in one byte, or in five, and the text. */
function writeText(text: string): void {
  reserve(5 + text.length * 3);
  const start = at + (text.length < 80 ? 1 : 5); // below 80 characters there are fewer than 255 bytes
  const bytes = scratch.write(text, start, 'utf8');
  if (start === at + 1) scratch[at] = bytes;
  else {
    scratch[at] = 255;
    view.setUint32(at + 1, bytes, true);
  }
  at = start + bytes;
}

function reserve(bytes: number): void {
  if (at + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(scratch.length * 2, at + bytes));
  scratch.copy(larger, 0, 0, at);
  scratch = larger;
  view = new DataView(scratch.buffer);
}

/** Reads come from one large buffer of lmdb's, so its view is kept. */
function readFrom(bytes: Buffer): void {
  if (bytes === source) return;
  source = bytes;
  sourceView = new DataView(bytes.buffer, bytes.byteOffset);
}

function readNumber(): number {
  at += 8;
  return sourceView.getFloat64(at - 8, true);
}

function readText(): string {
  let length = source[at]!;
  at += 1;
  if (length === 255) {
    length = sourceView.getUint32(at, true);
    at += 4;
  }
  at += length;
  return source.toString('utf8', at - length, at);
}

function readLease(): Lease {
  return { holder: readText(), nonce: readText(), since: readNumber(), until: readNumber() };
}

function readOutboxEntry(): OutboxEntry {
  const id = readText();
  const queue = readText();
  const deliverAt = readNumber();
  const wakeAt = readNumber();
  const length = readNumber();
  at += length;
  return { message: { id, queue, deliverAt, body: new Uint8Array(source.subarray(at - length, at)) }, wakeAt };
}

function readMany<T>(readOne: () => T): readonly T[] {
  const count = readNumber();
  const all: T[] = [];
  for (let i = 0; i < count; i += 1) all.push(readOne());
  return all;
}

function unreadable(format: number | undefined): CarillonError {
  return new CarillonError('E_STORE_VERSION', `A record has the format ${format}, and this version reads ${FORMAT}.`, {
    next: 'Start the newer version of Carillon that wrote it.',
  });
}
