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
const AFTER_ALL_TEXT = Buffer.from([0xff]); // begins no character of UTF-8

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
  const { client } = connection;
  const known = await Promise.all(buckets.map((bucket) => client.smembers(names.index(bucket, 's', kind))));
  return known.map((all) => all.filter((state) => states === undefined || states.includes(state)).toSorted());
}

async function namesAfter(
  connection: Connection,
  names: KeyNames,
  { kind, idPrefix = '' }: ListQuery,
  bucket: number,
  state: string,
  after: string,
  most: number,
): Promise<readonly string[]> {
  const low = after === '' ? (idPrefix === '' ? '-' : `[${idPrefix}`) : `(${after}`;
  const high = idPrefix === '' ? '+' : Buffer.concat([Buffer.from(`(${idPrefix}`), AFTER_ALL_TEXT]);
  return connection.client.zrangebylex(names.index(bucket, 'l', `${kind}\0${state}`), low, high, 'LIMIT', 0, most);
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
