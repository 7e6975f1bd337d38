// Change: applies one change to records, all of it or nothing (L1).

import type { Change, ChangeAnswer, Expectation, Instant, RecordContent, RecordKey, Write } from '@carillon/core/spi';
import type { Standing } from './leases.js';
import type { Head } from './record-codec.js';
import type { Records } from './records.js';

const OK: ChangeAnswer = { answer: 'ok' };
const LOST: ChangeAnswer = { answer: 'lost' };

type Put = Extract<Write, { do: 'put' }>;

/** Performs a change, or says why not and leaves everything alone. Inside of a transaction. */
export function applyChange(records: Records, change: Change, now: Instant): ChangeAnswer {
  const { writes, nonce } = change;
  if (writes.length === 1) {
    const only = writes[0]!;
    if (only.do === 'put' && putAtOnce(records, only, nonce)) return OK;
    const head = records.find(only.key, now);
    if (isRepeated(records, only, head, nonce)) return OK; // L4
    const refusal = refuse(records, only, head, now);
    if (refusal) return refusal;
    perform(records, only, head, nonce);
    return OK;
  }
  if (allAtOnce(records, writes, nonce, now)) return OK;
  const heads = writes.map(({ key }) => records.find(key, now));
  if (writes.some((write, index) => isRepeated(records, write, heads[index], nonce))) return OK; // L4
  const drafted = new Map<string, Standing | undefined>();
  for (let i = 0; i < writes.length; i += 1) {
    const write = writes[i]!;
    const identity = `${write.key.kind}\0${write.key.id}`;
    const standing = drafted.has(identity) ? drafted.get(identity) : heads[i];
    const refusal = refuse(records, write, standing, now);
    if (refusal) return refusal;
    drafted.set(identity, standingAfter(write, standing));
  }
  const apart = drafted.size === writes.length; // no write changes what was read for another
  for (let i = 0; i < writes.length; i += 1) {
    const write = writes[i]!;
    if (apart && write.do === 'put') {
      records.aim(write.key);
      put(records, write, heads[i], nonce);
    } else perform(records, write, records.find(write.key, now), nonce);
  }
  return OK;
}

/** The two that are frequent, without reading the record: a new one, and the holder's last word. A repeat meets neither,
 *  since the first time left a record, or ended the lease (L4). */
function putAtOnce(records: Records, { key, expect, content, keepLease }: Put, nonce: string): boolean {
  if ('absent' in expect) return records.add(key, records.headOf(key, content, nonce), content);
  if (!('fence' in expect) || keepLease === true) return false;
  const head = records.headOf(key, content, nonce);
  head.version = expect.version + 1; // L2
  head.fence = expect.fence;
  return records.resolve(key, expect, head, content);
}

/** The same for the holder's last word together with new records, each in its own place: a tick of a schedule. */
function allAtOnce(records: Records, [first, ...others]: readonly Write[], nonce: string, now: Instant): boolean {
  if (first?.do !== 'put' || !('fence' in first.expect)) return false;
  const ids = new Set<string>();
  for (const write of others) {
    if (write.do !== 'put' || !('absent' in write.expect) || records.find(write.key, now) !== undefined) return false;
    ids.add(`${write.key.kind}\0${write.key.id}`);
  }
  if (ids.size < others.length || !putAtOnce(records, first, nonce)) return false;
  for (const write of others) if (write.do === 'put') putAtOnce(records, write, nonce);
  return true;
}

/** A change was one step, so one record that carries its nonce tells that all of it has happened. */
function isRepeated(records: Records, write: Write, head: Head | undefined, nonce: string): boolean {
  if (write.do === 'put') return head?.nonce === nonce;
  return write.do === 'remove' && head === undefined && records.removedBy(write.key, nonce);
}

function refuse(
  records: Records,
  write: Write,
  standing: Standing | undefined,
  now: Instant,
): ChangeAnswer | undefined {
  if (write.do === 'sent' || holds(write.expect, standing)) return undefined;
  if ('fence' in write.expect && standing?.fence !== write.expect.fence) return LOST;
  const { kind, id, partition }: RecordKey = write.key;
  const key: RecordKey = { kind, id, partition };
  return { answer: 'conflict', key, record: records.read(key, now) };
}

function holds(expect: Expectation, standing: Standing | undefined): boolean {
  if ('any' in expect) return true;
  if ('absent' in expect) return standing === undefined;
  if ('fence' in expect && standing?.fence !== expect.fence) return false;
  return standing?.version === expect.version;
}

function standingAfter(write: Write, before: Standing | undefined): Standing | undefined {
  if (write.do === 'put') return { version: (before?.version ?? 0) + 1, fence: before?.fence ?? 0 };
  return write.do === 'remove' ? undefined : before;
}

function perform(records: Records, write: Write, head: Head | undefined, nonce: string): void {
  if (write.do === 'put') put(records, write, head, nonce);
  else if (write.do === 'remove') {
    if (head) records.remove(write.key, head, nonce);
  } else if (write.do === 'sent' && head?.hasOutbox) strike(records, write.key, head, write.messages);
}

function put(records: Records, write: Put, old: Head | undefined, nonce: string): void {
  const head = records.headOf(write.key, write.content, nonce);
  if (old) {
    head.version = old.version + 1; // L2
    head.partition = old.partition;
    head.fence = old.fence;
    if (!('fence' in write.expect) || write.keepLease === true) {
      head.lease = old.lease;
      head.process = old.process;
      head.interrupted = old.interrupted; // L5
    }
  }
  records.put(old, head, write.content);
}

/** Strikes messages off an outbox. The record keeps its nonce: this is not the change that a repeat asks for. */
function strike(records: Records, key: RecordKey, head: Head, messages: readonly string[]): void {
  const record = records.record(key, head);
  const struck = record.outbox.filter(({ message }) => messages.includes(message.id));
  const last = struck.at(-1);
  if (last === undefined) return;
  const outbox = record.outbox.filter((unsent) => !struck.includes(unsent));
  const settled = record.wakeAt === undefined; // and stays so
  const wakeAt = outbox.length > 0 || settled ? record.wakeAt : last.wakeAt;
  const content: Pick<RecordContent, 'body' | 'outbox'> = { body: record.body, outbox };
  records.put(head, { ...head, wakeAt }, content);
}
