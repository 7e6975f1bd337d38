// Listing: finding records by what they are about, bucket after bucket, in each state after state, by id.
//
// G1  A page examines a bounded number of records and buckets, so a filter that leaves little gives short pages, even empty
//     ones, that go on.
// G2  A record whose state changes while somebody pages may be met twice or not at all; one that stays is met once.

import type { LedgerRecord, ListQuery, Page } from '@carillon/core/spi';
import type { Connection } from './connection.js';
import { readCursor, writeCursor } from './cursor.js';
import type { KeyNames } from './key-names.js';
import { splitName } from './record-codec.js';

const MOST_EXAMINED = 2_000;
const CHUNK = 200;
const BUCKETS_AT_ONCE = 32;
const EDGE = Buffer.from([0xff]); // stands between state and name; in no text, and behind all of them

/** Where the walk stands: a bucket, and in it the state and name after which it goes on. */
interface Place {
  readonly bucket: number;
  readonly state: string;
  readonly name: string;
}

/** Reads the records under some keys of one bucket. */
export type Read = (keys: readonly Buffer[]) => Promise<readonly (LedgerRecord | undefined)[]>;

/** A page of the records that a query asks for. */
export async function listPage(connection: Connection, names: KeyNames, read: Read, query: ListQuery): Promise<Page> {
  const [bucket, state, name] = readCursor<readonly [number, string, string]>(query.cursor, [0, '', '']);
  const found: LedgerRecord[] = [];
  let from: Place = { bucket, state, name };
  let left = MOST_EXAMINED;
  while (from.bucket < names.bases.length) {
    const states = await statesFrom(connection, names, query, from.bucket);
    for (const [offset, inBucket] of states.entries()) {
      const at = from.bucket + offset;
      const start: Place = offset === 0 ? from : { bucket: at, state: '', name: '' };
      for (const each of inBucket.filter((one) => one >= start.state)) {
        let after = each === start.state ? start.name : '';
        for (;;) {
          const most = isNarrowed(query) ? CHUNK : query.limit - found.length + 1;
          const next = await namesAfter(connection, names, query, at, each, after, most);
          const keys = next.map((one) => names.record(keyOf(query.kind, one)));
          const records = keys.length === 0 ? [] : await read(keys);
          for (const [index, record] of records.entries()) {
            if (record !== undefined && matches(record, query)) {
              if (found.length === query.limit) return { records: found, cursor: writeCursor([at, each, after]) };
              found.push(record);
            }
            after = next[index]!;
          }
          left -= next.length;
          if (left <= 0) return { records: found, cursor: writeCursor([at, each, after]) }; // G1
          if (next.length < most) break;
        }
      }
    }
    from = { bucket: from.bucket + states.length, state: '', name: '' };
  }
  return { records: found };
}

/** The states to look at in some buckets, from `first` on, in their order. */
async function statesFrom(
  connection: Connection,
  names: KeyNames,
  { kind, states }: ListQuery,
  first: number,
): Promise<readonly (readonly string[])[]> {
  const buckets = [...names.bases.keys()].slice(first, first + BUCKETS_AT_ONCE);
  const known = await Promise.all(buckets.map((bucket) => statesIn(connection, names.index(bucket, 'l', kind))));
  return known.map((all) => all.filter((state) => states === undefined || states.includes(state)).toSorted());
}

/** The states that stand in an index, each found behind all names of the one before. */
async function statesIn({ client }: Connection, index: Buffer): Promise<readonly string[]> {
  const states: string[] = [];
  for (let low: Buffer | string = '-'; ; low = Buffer.concat([member('(', states.at(-1)!, ''), EDGE])) {
    const [first] = await client.zrangebylexBuffer(index, low, '+', 'LIMIT', 0, 1);
    if (first === undefined) return states;
    states.push(first.toString('utf8', 0, first.indexOf(EDGE)));
  }
}

async function namesAfter(
  { client }: Connection,
  names: KeyNames,
  { kind, idPrefix = '' }: ListQuery,
  bucket: number,
  state: string,
  after: string,
  most: number,
): Promise<readonly string[]> {
  const low = after === '' ? member('[', state, idPrefix) : member('(', state, after);
  const high = Buffer.concat([member('(', state, idPrefix), EDGE]);
  const found = await client.zrangebylexBuffer(names.index(bucket, 'l', kind), low, high, 'LIMIT', 0, most);
  return found.map((one) => one.toString('utf8', one.indexOf(EDGE) + 1));
}

/** A bound of a walk over an index: before or behind what begins with a state and a name. */
function member(bound: '(' | '[', state: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(bound + state), EDGE, Buffer.from(name)]);
}

function keyOf(kind: string, name: string): { kind: string; id: string; partition: string } {
  const [id, partition] = splitName(name);
  return { kind, id, partition };
}

function isNarrowed({ task, queue, dueFrom, dueBefore }: ListQuery): boolean {
  return [task, queue, dueFrom, dueBefore].some((field) => field !== undefined);
}

function matches(record: LedgerRecord, query: ListQuery): boolean {
  return (
    (query.task === undefined || record.task === query.task) &&
    (query.queue === undefined || record.queue === query.queue) &&
    (query.states === undefined || query.states.includes(record.state)) &&
    (query.dueFrom === undefined || record.dueAt >= query.dueFrom) &&
    (query.dueBefore === undefined || record.dueAt < query.dueBefore)
  );
}
