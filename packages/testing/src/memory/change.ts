// Change: applies one change to records, in a draft that counts only as a whole (L1 of ports/ledger.ts).

import type { Change, ChangeAnswer, Expectation, LedgerRecord, RecordKey, Write } from '@carillon/core/spi';
import { copyKey, copyOutbox, draftOf, handOut, isSameKey } from './records.js';
import type { Entry, Records } from './records.js';

/** Performs a change on the records, or says why not and leaves them alone. */
export function applyChange(records: Records, change: Change): ChangeAnswer {
  const { writes, nonce } = change;
  if (writes.some(({ key }) => key.partition !== writes[0]!.key.partition)) {
    throw new TypeError('The writes of one change must be of one partition.');
  }
  if (isRepeat(records, change)) return { answer: 'ok' }; // L4

  const touched: Touched[] = [];
  for (const write of writes) {
    const { key } = write;
    let one = touched.length === 0 ? undefined : touched.find((other) => isSameKey(other.key, key));
    if (one === undefined) {
      const stored = records.get(key);
      touched.push((one = { key, stored, entry: stored }));
    }
    const refusal = write.do === 'sent' ? undefined : refuse(one.entry?.record, key, write.expect);
    if (refusal) return refusal;
    one.entry = perform(one.entry, write, nonce);
  }
  for (const { key, stored, entry } of touched) {
    if (entry === undefined) records.remove(key, nonce);
    else if (entry !== stored) records.put(entry);
  }
  return { answer: 'ok' };
}

/** What becomes of an entry in a change. */
interface Touched {
  readonly key: RecordKey;
  readonly stored: Entry | undefined;
  entry: Entry | undefined;
}

/** A change was one step, so one record that carries its nonce tells that all of it has happened. */
function isRepeat(records: Records, { nonce, writes }: Change): boolean {
  for (const { do: what, key } of writes) {
    if (what === 'put' && records.get(key)?.nonce === nonce) return true;
    if (what === 'remove' && records.removedBy(key, nonce)) return true;
  }
  return false;
}

function refuse(record: LedgerRecord | undefined, key: RecordKey, expect: Expectation): ChangeAnswer | undefined {
  if ('any' in expect) return undefined;
  if ('fence' in expect && record?.fence !== expect.fence) return { answer: 'lost' };
  const stands = 'absent' in expect ? record === undefined : record?.version === expect.version;
  return stands ? undefined : { answer: 'conflict', key: copyKey(key), record: record && handOut(record) };
}

function perform(entry: Entry | undefined, write: Write, nonce: string): Entry | undefined {
  if (write.do === 'check') return entry;
  if (write.do === 'remove') return undefined;
  if (write.do === 'sent') return entry && strike(entry, write.messages);
  return put(entry?.record, write, nonce);
}

function put(old: LedgerRecord | undefined, write: Extract<Write, { do: 'put' }>, nonce: string): Entry {
  const resolved = 'fence' in write.expect && write.keepLease !== true;
  const { generation, queue, task, state, dueAt, wakeAt, expiresAt, durableGrant, body, outbox } = write.content;
  const record: LedgerRecord = {
    generation,
    queue,
    task,
    state,
    dueAt,
    wakeAt,
    expiresAt,
    durableGrant,
    body,
    outbox: copyOutbox(outbox),
    key: old?.key ?? copyKey(write.key),
    version: (old?.version ?? 0) + 1, // L2 of ports/ledger.ts
    fence: old?.fence ?? 0,
    lease: resolved ? undefined : old?.lease,
    interrupted: resolved || old === undefined ? Object.freeze([]) : old.interrupted, // L5
  };
  return { record: Object.freeze(record), nonce };
}

/** Strikes messages off an outbox. The entry keeps its nonce: this is not the change that a repeat asks for. */
function strike(entry: Entry, messages: readonly string[]): Entry {
  const { record } = entry;
  const struck = record.outbox.filter(({ message }) => messages.includes(message.id));
  const last = struck.at(-1);
  if (last === undefined) return entry;
  const outbox = Object.freeze(record.outbox.filter((unsent) => !struck.includes(unsent)));
  const settled = record.wakeAt === undefined; // and stays so
  const rest = draftOf(record);
  rest.outbox = outbox;
  if (outbox.length === 0 && !settled) rest.wakeAt = last.wakeAt;
  return { record: Object.freeze(rest), nonce: entry.nonce };
}
