// Record codec: a record as bytes. A head of numbers and short texts, then a tail: outbox and body.
//
// R1  The first byte is the format; a later format says so there, and this reader refuses what it does not know.
// R2  A pending record is as short as it can be: what only some records have, flags announce.

import { CarillonError } from '@carillon/core/spi';
import type { Instant, LedgerRecord, OutboxEntry, RecordContent, RecordKey } from '@carillon/core/spi';
import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { Row } from './byte-writer.js';
import type { Catalog } from './catalog.js';
import type { Holding } from './leases.js';

const FORMAT = 1;
const DURABLE = 1;
const SETTLED = 2;
const EXPIRES = 4;
const WAKE_IS_DUE = 8;
const OUTBOX = 16;
const PARTITION = 32;
const FENCE = 64;

/** Everything of a record but its tail. */
export interface Head extends Holding {
  queue: number;
  task: number;
  state: number;
  generation: number;
  dueAt: Instant;
  wakeAt: Instant | undefined;
  expiresAt: Instant | undefined;
  durableGrant: boolean;
  nonce: string;
  /** Missing if it is the id. */
  partition: string | undefined;
  hasOutbox: boolean;
  /** Where the tail begins in the bytes that this was read from. */
  tail: number;
}

/** What a record says beyond its head. */
export type Tail = Pick<RecordContent, 'body' | 'outbox'>;

const NONE: readonly never[] = Object.freeze([]);

const writer = new ByteWriter();
const reader = new ByteReader();

/** Reads the head of a stored record, without a lease. */
export function readHead(bytes: Buffer): Head {
  if (bytes[0] !== FORMAT) throw unreadable(bytes[0]);
  reader.start(bytes, 1);
  const flags = reader.uint8();
  const queue = reader.uint16();
  const task = reader.uint16();
  const state = reader.uint16();
  const version = reader.uint32();
  const generation = reader.float64();
  const dueAt = reader.float64();
  return {
    queue,
    task,
    state,
    version,
    generation,
    dueAt,
    fence: (flags & FENCE) !== 0 ? reader.float64() : 0,
    wakeAt: (flags & SETTLED) !== 0 ? undefined : (flags & WAKE_IS_DUE) !== 0 ? dueAt : reader.float64(),
    expiresAt: (flags & EXPIRES) !== 0 ? reader.float64() : undefined,
    nonce: reader.text(),
    partition: (flags & PARTITION) !== 0 ? reader.text() : undefined,
    durableGrant: (flags & DURABLE) !== 0,
    hasOutbox: (flags & OUTBOX) !== 0,
    tail: reader.at,
    lease: undefined,
    process: 0,
    interrupted: NONE,
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
  let outbox: readonly OutboxEntry[] = NONE;
  let bodyAt = head.tail;
  if (head.hasOutbox) {
    reader.start(bytes, head.tail);
    outbox = Array.from({ length: reader.uint32() }, readOutboxEntry);
    bodyAt = reader.at;
  }
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
    lease: head.lease,
    interrupted: head.interrupted,
    body: bytes.toString('utf8', bodyAt, size),
    outbox,
  };
}

/** A record without its lease, as a row; valid until the next call. */
export function writeRecord(head: Head, { body, outbox }: Tail): Row {
  const { fence, dueAt, wakeAt, expiresAt, partition } = head;
  writer.start();
  writer.uint8(FORMAT);
  writer.uint8(
    (head.durableGrant ? DURABLE : 0) |
      (wakeAt === undefined ? SETTLED : wakeAt === dueAt ? WAKE_IS_DUE : 0) |
      (expiresAt === undefined ? 0 : EXPIRES) |
      (outbox.length > 0 ? OUTBOX : 0) |
      (partition === undefined ? 0 : PARTITION) |
      (fence === 0 ? 0 : FENCE),
  );
  writer.uint16(head.queue);
  writer.uint16(head.task);
  writer.uint16(head.state);
  writer.uint32(head.version);
  writer.float64(head.generation);
  writer.float64(dueAt);
  if (fence !== 0) writer.float64(fence);
  if (wakeAt !== undefined && wakeAt !== dueAt) writer.float64(wakeAt);
  if (expiresAt !== undefined) writer.float64(expiresAt);
  writer.text(head.nonce);
  if (partition !== undefined) writer.text(partition);
  if (outbox.length > 0) {
    writer.uint32(outbox.length);
    for (const entry of outbox) writeOutboxEntry(entry);
  }
  writer.lastText(body);
  return writer.written();
}

function writeOutboxEntry({ message, wakeAt }: OutboxEntry): void {
  writer.text(message.id);
  writer.text(message.queue);
  writer.float64(message.deliverAt);
  writer.float64(wakeAt);
  writer.uint32(message.body.length);
  writer.bytes(message.body);
}

function readOutboxEntry(): OutboxEntry {
  const id = reader.text();
  const queue = reader.text();
  const deliverAt = reader.float64();
  const wakeAt = reader.float64();
  return { message: { id, queue, deliverAt, body: reader.bytes(reader.uint32()) }, wakeAt };
}

function unreadable(format: number | undefined): CarillonError {
  return new CarillonError('E_STORE_VERSION', `A record has the format ${format}, and this version reads ${FORMAT}.`, {
    next: 'Start the newer version of Carillon that wrote it.',
  });
}
