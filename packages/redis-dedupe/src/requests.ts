// Requests: what the port asks, as the scripts take it, and what they answer, as the port says it.

import type {
  Change,
  ChangeAnswer,
  Claim,
  ClaimAnswer,
  Expectation,
  RecordContent,
  Renewal,
  RenewalAnswer,
  Write,
} from '@carillon/core/spi';
import { packEffect, RedisEffect } from './effects/redis-effect.js';
import type { Draft } from './batches.js';
import type { KeyNames } from './key-names.js';
import { markOf } from './mark.js';
import type { Packer } from './packer.js';
import { packRecord, unpackRecord, unreadable } from './record-codec.js';
import { DO, EXPECT } from './scripts/commit.js';

const RECORD_AT = 9; // after the letter and the time
const ANY: Expectation = { any: true };

/** Drafts a claim, for the script `acquire`. */
export function draftClaim({ keys, asks }: Draft, names: KeyNames, claim: Claim): void {
  const { key, generation, leaseMs, nonce, holder, create } = claim;
  keys.push(names.record(key));
  asks.number(generation).number(leaseMs).word(nonce).word(holder);
  asks.block(() => create && packRecord(asks, key, create, nonce));
}

/** The answer to a claim. */
export function claimAnswer(claim: Claim, bytes: Buffer): ClaimAnswer {
  const { key } = claim;
  const letter = String.fromCharCode(bytes[0]!);
  if (letter === 'A') return { answer: 'absent' };
  if (letter === 'U') return { answer: 'unreadable', reason: unreadable(bytes, 1).message };
  const now = bytes.readDoubleLE(1);
  if (letter === 'N') return started(claim, now, bytes.readDoubleLE(RECORD_AT));
  const record = unpackRecord(key, bytes, RECORD_AT);
  const { fence, lease, dueAt } = record;
  if (letter === 'G') return { answer: 'granted', record, fence, at: lease!.since };
  if (letter === 'B') return { answer: 'busy', record, retryInMs: lease!.until - now };
  if (letter === 'E') return { answer: 'early', record, inMs: dueAt - now };
  return { answer: letter === 'S' ? 'settled' : 'stale', record };
}

/** The grant of a record that the claim has started: the asker knows all of it but two numbers. */
function started({ key, create, nonce, holder, leaseMs }: Claim, at: number, fence: number): ClaimAnswer {
  const { generation, queue, task, state, dueAt, wakeAt, expiresAt, durableGrant, body, outbox } = create!;
  const record = {
    key,
    version: 2,
    fence,
    lease: { holder, nonce, since: at, until: at + leaseMs },
    interrupted: [],
    generation,
    queue,
    task,
    state,
    dueAt,
    wakeAt,
    expiresAt,
    durableGrant,
    body,
    outbox,
  };
  return { answer: 'granted', record, fence, at };
}

/** Drafts a renewal, for the script `renew`. */
export function draftRenewal({ keys, asks }: Draft, names: KeyNames, { key, fence, leaseMs }: Renewal): void {
  keys.push(names.record(key));
  asks.number(fence).number(leaseMs);
}

/** The answer to a renewal. */
export function renewalAnswer(bytes: Buffer): RenewalAnswer {
  if (bytes.length === 0) return { answer: 'lost' };
  return { answer: 'ok', version: bytes.readDoubleLE(0), until: bytes.readDoubleLE(8) };
}

/** Drafts a change, for the script `commit`. */
export function draftChange({ keys, asks }: Draft, names: KeyNames, change: Change, spread: number): void {
  const { nonce, writes, effect } = change;
  asks.word(nonce).count(writes.length);
  asks.block(() => effect instanceof RedisEffect && packEffect(asks, effect));
  for (const write of writes) {
    if (write.key.partition !== writes[0]!.key.partition)
      throw new TypeError('The writes of one change must be of one partition.');
    keys.push(names.record(write.key));
    packWrite(asks, write, nonce, spread);
  }
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

function packWrite(packer: Packer, write: Write, nonce: string, spread: number): void {
  const expect = write.do === 'sent' ? ANY : write.expect;
  const version = 'version' in expect ? expect.version : 0;
  const fence = 'fence' in expect ? expect.fence : 0;
  packer.byte(DO[write.do]).byte(expectationOf(expect)).number(version).number(fence);
  const isPut = write.do === 'put';
  const mark = isPut ? markOf(write.content, nonce) : 0;
  packer.byte(isPut && write.keepLease === true ? 1 : 0).number(mark);
  packer.number((isPut && write.content.expiresAt) || 0).count(spread);
  packer.block(() => {
    if (isPut && !(mark > 0 && leavesMark(write.content))) packRecord(packer, write.key, write.content, nonce);
    if (write.do === 'sent') for (const message of write.messages) packer.word(message);
  });
}

function expectationOf(expect: Expectation): number {
  if ('absent' in expect) return EXPECT.absent;
  if ('fence' in expect) return EXPECT.holder;
  return 'version' in expect ? EXPECT.version : EXPECT.any;
}

/** Whether nothing of a record that may become a mark is needed any more. */
function leavesMark({ wakeAt, expiresAt, outbox }: RecordContent): boolean {
  return wakeAt === undefined && expiresAt !== undefined && outbox.length === 0;
}
