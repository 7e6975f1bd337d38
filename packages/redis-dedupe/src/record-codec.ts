// Record codec: a record as bytes and back, in the layout that the scripts read (P1, P2 of scripts/record.ts).

import type { Instant, Lease, LedgerRecord, OutboxEntry, RecordContent, RecordKey } from '@carillon/core/spi';
import { CarillonError } from '@carillon/core/spi';
import { readMark } from './mark.js';
import type { Packer } from './packer.js';
import { FIRST_DIGIT } from './scripts/mark.js';
import { FORMAT } from './scripts/record.js';

const DURABLE = 1;
const HEAD_BYTES = 62;

/** Packs content as a record that nobody has claimed yet; `nonce` is that of the call that writes it. */
export function packRecord(packer: Packer, key: RecordKey, content: RecordContent, nonce: string): void {
  const { generation, dueAt, wakeAt = Infinity, expiresAt = Infinity, queue, task, state, outbox, body } = content;
  packer
    .byte(FORMAT)
    .byte(content.durableGrant ? DURABLE : 0)
    .size(1)
    .number(generation)
    .number(0);
  packer.number(dueAt).number(wakeAt).number(expiresAt).number(0).number(0);
  packer.word(key.kind).word(nameOf(key)).word(queue).word(task).word(state).word(nonce);
  packer.word('').word('').size(0); // no holder, no lease, none before
  packer.block(() => {
    for (const entry of outbox) packEntry(packer, entry);
  });
  packer.text(body);
}

/** Reads a packed record or a mark, from `from` on; whole records tell their own key if it is not `known`. */
export function unpackRecord(known: RecordKey | undefined, bytes: Buffer, from = 0): LedgerRecord {
  if (bytes[from]! >= FIRST_DIGIT && known !== undefined) return readMark(known, markIn(bytes, from));
  if (bytes[from] !== FORMAT) throw unreadable(bytes, from);
  try {
    return readRecord(known, bytes, from);
  } catch (error) {
    if (error instanceof RangeError) throw unreadable(bytes, from); // it ends too early
    throw error;
  }
}

function readRecord(known: RecordKey | undefined, bytes: Buffer, from: number): LedgerRecord {
  const reader = new Reader(bytes, from + HEAD_BYTES);
  const key = known === undefined ? keyOf(reader.word(), reader.word()) : reader.skip(2, known);
  const queue = reader.word();
  const task = reader.word();
  const state = reader.word();
  reader.skip(1, undefined); // the nonce is between the ledger and its callers
  const holder = reader.word();
  const claim = reader.word();
  const interrupted = unpackLeases(reader.block());
  const outbox = unpackOutbox(reader.block());
  const since = bytes.readDoubleLE(from + 46);
  const until = bytes.readDoubleLE(from + 54);
  return {
    key,
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

/** Whether a value is a mark and no whole record; throws `E_STORE_VERSION` if it begins like one and is none. */
export function isMark(bytes: Buffer): boolean {
  return bytes[0]! >= FIRST_DIGIT && markIn(bytes, 0) >= 0;
}

function markIn(bytes: Buffer, from: number): number {
  const mark = Number(bytes.toString('latin1', from));
  if (!Number.isSafeInteger(mark)) throw unreadable(bytes, from);
  return mark;
}

/** The nonce of the latest put of a packed record. */
export function nonceIn(bytes: Buffer): string {
  const reader = new Reader(bytes, HEAD_BYTES);
  reader.skip(5, undefined);
  return reader.word();
}

/** The id and partition of a record in one word: how it stands in lists. */
function nameOf({ id, partition }: RecordKey): string {
  return `${id}\0${partition}`;
}

function keyOf(kind: string, name: string): RecordKey {
  const [id, partition] = splitName(name);
  return { kind, id, partition };
}

/** Takes a record's name apart. */
export function splitName(name: string): [id: string, partition: string] {
  const at = name.lastIndexOf('\0');
  return [name.slice(0, at), name.slice(at + 1)];
}

function packEntry(packer: Packer, { message, wakeAt }: OutboxEntry): void {
  const { id, queue, deliverAt, body } = message;
  packer.word(id).word(queue).number(deliverAt).number(wakeAt).size(body.length).bytes(body);
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

  skip<T>(words: number, answer: T): T {
    for (let word = 0; word < words; word += 1) this.at += 2 + this.#bytes.readUInt16LE(this.at);
    return answer;
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

/** What a value that is no record of this version is refused with. */
export function unreadable(bytes: Buffer, from = 0): CarillonError {
  const format = bytes[from];
  const newer = format !== undefined && format > FORMAT && format < FIRST_DIGIT;
  const message = newer
    ? `A record has the format ${format}, and this version reads ${FORMAT}.`
    : 'What stands under the key of a record is damaged, or somebody else wrote it.';
  return new CarillonError('E_STORE_VERSION', message, {
    next: 'Start the newer version of Carillon that wrote it, or see who else writes below this prefix.',
  });
}
