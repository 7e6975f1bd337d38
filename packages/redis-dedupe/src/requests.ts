// Requests: what the port asks, as the scripts take it, and what they answer, as the port says it.

import type { Change, ChangeAnswer, Claim, ClaimAnswer, Renewal, RenewalAnswer, Write } from '@carillon/core/spi';
import type { Request } from './batches.js';
import { packEffect, RedisEffect } from './effects/redis-effect.js';
import type { KeyNames } from './key-names.js';
import { markOf } from './mark.js';
import { packRecord, packWords, unpackRecord } from './record-codec.js';
import { DO, EXPECT } from './scripts/commit.js';

const RECORD_AT = 9; // after the letter and the time

/** A claim, for the script `acquire`. */
export function claimRequest(names: KeyNames, { key, generation, leaseMs, nonce, holder, create }: Claim): Request {
  const ask = Buffer.concat([packNumbers(generation, leaseMs), packWords(nonce, holder)]);
  const record = create === undefined ? '' : packRecord(key, create, nonce);
  return { keys: [names.record(key)], args: [ask, record], durable: true };
}

/** The answer to a claim. */
export function claimAnswer({ key }: Claim, bytes: Buffer): ClaimAnswer {
  const letter = String.fromCharCode(bytes[0]!);
  if (letter === 'A') return { answer: 'absent' };
  const now = bytes.readDoubleLE(1);
  const record = unpackRecord(key, bytes, RECORD_AT);
  const { fence, lease, dueAt } = record;
  if (letter === 'G') return { answer: 'granted', record, fence, at: lease!.since };
  if (letter === 'B') return { answer: 'busy', record, retryInMs: lease!.until - now };
  if (letter === 'E') return { answer: 'early', record, inMs: dueAt - now };
  return { answer: letter === 'S' ? 'settled' : 'stale', record };
}

/** A renewal, for the script `renew`. */
export function renewalRequest(names: KeyNames, { key, fence, leaseMs }: Renewal): Request {
  return { keys: [names.record(key)], args: [packNumbers(fence, leaseMs)] };
}

/** The answer to a renewal. */
export function renewalAnswer(bytes: Buffer): RenewalAnswer {
  if (bytes.length === 0) return { answer: 'lost' };
  return { answer: 'ok', version: bytes.readDoubleLE(0), until: bytes.readDoubleLE(8) };
}

/** A change, for the script `commit`. */
export function changeRequest(names: KeyNames, { nonce, writes, durable, effect }: Change, spread: number): Request {
  const keys: Buffer[] = [];
  const args: (Buffer | string)[] = [
    nonce,
    String(writes.length),
    effect instanceof RedisEffect ? packEffect(effect) : '',
  ];
  for (const write of writes) {
    if (write.key.partition !== writes[0]!.key.partition)
      throw new TypeError('The writes of one change must be of one partition.');
    keys.push(names.record(write.key));
    args.push(packAsk(write, nonce, spread), packData(write, nonce));
  }
  return { keys, args, durable };
}

/** The answer to a change. */
export function changeAnswer({ writes }: Change, bytes: Buffer): ChangeAnswer {
  const letter = String.fromCharCode(bytes[0]!);
  if (letter === 'O') return { answer: 'ok' };
  if (letter === 'L') return { answer: 'lost' };
  if (letter === 'F' || letter === 'P')
    return { answer: 'failed', reason: bytes.toString('utf8', 1), partly: letter === 'P' };
  const { kind, id, partition } = writes[bytes.readUInt16LE(1) - 1]!.key;
  const key = { kind, id, partition };
  const record = bytes.length > 3 ? unpackRecord(key, bytes, 3) : undefined;
  return { answer: 'conflict', key, record };
}

function packAsk(write: Write, nonce: string, spread: number): Buffer {
  const bytes = Buffer.alloc(29);
  bytes[0] = DO[write.do];
  if (write.do === 'sent') return bytes;
  const { expect } = write;
  if ('absent' in expect) bytes[1] = EXPECT.absent;
  if ('version' in expect) {
    bytes[1] = 'fence' in expect ? EXPECT.holder : EXPECT.version;
    bytes.writeDoubleLE(expect.version, 2);
    if ('fence' in expect) bytes.writeDoubleLE(expect.fence, 10);
  }
  if (write.do !== 'put') return bytes;
  if (write.keepLease === true) bytes[18] = 1;
  bytes.writeDoubleLE(markOf(write.content, nonce), 19);
  bytes.writeUInt16LE(spread, 27);
  return bytes;
}

function packData(write: Write, nonce: string): Buffer | string {
  if (write.do === 'put') return packRecord(write.key, write.content, nonce);
  return write.do === 'sent' ? packWords(...write.messages) : '';
}

function packNumbers(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(8 * numbers.length);
  for (const [index, number] of numbers.entries()) bytes.writeDoubleLE(number, 8 * index);
  return bytes;
}
