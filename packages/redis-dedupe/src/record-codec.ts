// Record codec: a record as bytes and back, in the layout that the scripts read (P1, P2 of scripts/record.ts).

import type { Instant, Lease, LedgerRecord, OutboxEntry, RecordContent, RecordKey } from '@carillon/core/spi';
import { CarillonError } from '@carillon/core/spi';
import { readMark } from './mark.js';
import { FORMAT } from './scripts/record.js';

const DURABLE = 1;
const HEAD_BYTES = 62;
const FIRST_DIGIT = 48;
const LONGEST_WORD = 0xffff;

/** Packs content as a record that nobody has claimed yet; `nonce` is that of the call that writes it. */
export function packRecord(key: RecordKey, content: RecordContent, nonce: string): Buffer {
  const words = [key.kind, nameOf(key), content.queue, content.task, content.state, nonce, '', ''];
  const outbox = packOutbox(content.outbox);
  const body = Buffer.from(content.body);
  const size = HEAD_BYTES + words.reduce((sum, word) => sum + 2 + wordBytes(word), 0) + 8 + outbox.length + body.length;
  const bytes = Buffer.allocUnsafe(size);
  bytes[0] = FORMAT;
  bytes[1] = content.durableGrant ? DURABLE : 0;
  bytes.writeUInt32LE(1, 2);
  bytes.writeDoubleLE(content.generation, 6);
  bytes.writeDoubleLE(0, 14);
  bytes.writeDoubleLE(content.dueAt, 22);
  bytes.writeDoubleLE(content.wakeAt ?? Infinity, 30);
  bytes.writeDoubleLE(content.expiresAt ?? Infinity, 38);
  bytes.writeDoubleLE(0, 46);
  bytes.writeDoubleLE(0, 54);
  let at = HEAD_BYTES;
  for (const word of words) at = writeWord(bytes, word, at);
  bytes.writeUInt32LE(0, at); // no past leases
  bytes.writeUInt32LE(outbox.length, at + 4);
  outbox.copy(bytes, at + 8);
  body.copy(bytes, at + 8 + outbox.length);
  return bytes;
}

/** Reads a packed record or a mark, from `from` on. */
export function unpackRecord(known: RecordKey, bytes: Buffer, from = 0): LedgerRecord {
  if (bytes[from]! >= FIRST_DIGIT) return readMark(known, Number(bytes.toString('latin1', from)));
  if (bytes[from] !== FORMAT) throw unreadable(bytes[from]);
  const reader = new Reader(bytes, from + HEAD_BYTES);
  const kind = reader.word();
  const [id, partition] = splitName(reader.word());
  const queue = reader.word();
  const task = reader.word();
  const state = reader.word();
  reader.word(); // the nonce is between the ledger and its callers
  const holder = reader.word();
  const claim = reader.word();
  const interrupted = unpackLeases(reader.block());
  const outbox = unpackOutbox(reader.block());
  const since = bytes.readDoubleLE(from + 46);
  const until = bytes.readDoubleLE(from + 54);
  return {
    key: { kind, id, partition },
    version: bytes.readUInt32LE(from + 2),
    generation: bytes.readDoubleLE(from + 6),
    fence: bytes.readDoubleLE(from + 14),
    queue,
    task,
    state,
    dueAt: bytes.readDoubleLE(from + 22),
    wakeAt: finite(bytes.readDoubleLE(from + 30)),
    expiresAt: finite(bytes.readDoubleLE(from + 38)),
    durableGrant: (bytes[from + 1]! & DURABLE) !== 0,
    lease: claim === '' ? undefined : { holder, nonce: claim, since, until },
    interrupted,
    body: bytes.toString('utf8', reader.at),
    outbox,
  };
}

/** Packs words one after another, as a script reads them. */
export function packWords(...words: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(words.reduce((sum, word) => sum + 2 + wordBytes(word), 0));
  let at = 0;
  for (const word of words) at = writeWord(bytes, word, at);
  return bytes;
}

/** The id and partition of a record in one word: how it stands in lists. */
function nameOf({ id, partition }: RecordKey): string {
  return `${id}\0${partition}`;
}

/** Takes a record's name apart. */
export function splitName(name: string): [id: string, partition: string] {
  const at = name.lastIndexOf('\0');
  return [name.slice(0, at), name.slice(at + 1)];
}

function packOutbox(entries: readonly OutboxEntry[]): Buffer {
  if (entries.length === 0) return NONE;
  const parts: Buffer[] = [];
  for (const { message, wakeAt } of entries) {
    const times = Buffer.allocUnsafe(20);
    times.writeDoubleLE(message.deliverAt, 0);
    times.writeDoubleLE(wakeAt, 8);
    times.writeUInt32LE(message.body.length, 16);
    parts.push(packWords(message.id, message.queue), times, Buffer.from(message.body));
  }
  return Buffer.concat(parts);
}

function unpackOutbox(bytes: Buffer): readonly OutboxEntry[] {
  const entries: OutboxEntry[] = [];
  const reader = new Reader(bytes, 0);
  while (reader.at < bytes.length) {
    const id = reader.word();
    const queue = reader.word();
    const deliverAt = reader.number();
    const wakeAt = reader.number();
    entries.push({ message: { id, queue, deliverAt, body: Uint8Array.from(reader.block()) }, wakeAt });
  }
  return entries;
}

function unpackLeases(bytes: Buffer): readonly Lease[] {
  const leases: Lease[] = [];
  const reader = new Reader(bytes, 0);
  while (reader.at < bytes.length) {
    const since = reader.number();
    const until = reader.number();
    const nonce = reader.word();
    leases.push({ holder: reader.word(), nonce, since, until });
  }
  return leases;
}

const NONE = Buffer.alloc(0);

/** Reads what is packed one after another. */
class Reader {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  word(): string {
    const from = this.at + 2;
    this.at = from + this.#bytes.readUInt16LE(this.at);
    return this.#bytes.toString('utf8', from, this.at);
  }

  number(): number {
    this.at += 8;
    return this.#bytes.readDoubleLE(this.at - 8);
  }

  block(): Buffer {
    const from = this.at + 4;
    this.at = from + this.#bytes.readUInt32LE(this.at);
    return this.#bytes.subarray(from, this.at);
  }
}

function finite(time: number): Instant | undefined {
  return time === Infinity ? undefined : time;
}

function wordBytes(word: string): number {
  const bytes = Buffer.byteLength(word);
  if (bytes > LONGEST_WORD) throw new TypeError(`A word of a record has ${bytes} bytes, more than ${LONGEST_WORD}.`);
  return bytes;
}

function writeWord(bytes: Buffer, word: string, at: number): number {
  const length = bytes.write(word, at + 2);
  bytes.writeUInt16LE(length, at);
  return at + 2 + length;
}

function unreadable(format: number | undefined): CarillonError {
  return new CarillonError('E_STORE_VERSION', `A record has the format ${format}, and this version reads ${FORMAT}.`, {
    next: 'Start the newer version of Carillon that wrote it.',
  });
}
