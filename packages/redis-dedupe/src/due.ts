// Due: the records that want attention, merged over all buckets.
//
// U1  The order is by time, then by bucket and queue; so a cursor is a time, a place in that order, and how many entries of
//     that place and time were given.
// U2  Each look begins with the removal of what has expired, so that idle buckets get rid of it too, and with a look at the
//     servers' memory: engines sweep now and then, so no timer is needed for it.

import type { DueQuery } from '@carillon/core/spi';
import type { Connection } from './connection.js';
import { readCursor, writeCursor } from './cursor.js';
import type { KeyNames } from './key-names.js';
import { script } from './script.js';
import { DUE } from './scripts/due.js';
import { EXPIRE } from './scripts/expire.js';

const due = script(DUE);
const expire = script(EXPIRE, true);

/** An entry of an attention index. */
interface Entry {
  readonly at: number;
  /** The number of the index: its bucket and queue. */
  readonly place: number;
  readonly key: Buffer;
}

/** What `findDue` finds: keys of records, and the cursor to what follows. */
export interface FoundDue {
  readonly keys: readonly Buffer[];
  readonly cursor: string | undefined;
}

/** The keys of the records that want attention, earliest first. */
export async function findDue(connection: Connection, names: KeyNames, query: DueQuery): Promise<FoundDue> {
  const queues = [...new Set(query.queues)];
  const [from, place, given] = readCursor<readonly [number, number, number]>(query.cursor, [0, -1, 0]);
  const buckets = [...names.bases.keys()];
  const groups = connection.scattered ? buckets.map((bucket) => [bucket]) : [buckets];
  if (query.cursor === undefined)
    await Promise.all([removeExpired(connection, names, groups), connection.lookAtMemory()]); // U2
  const ask = async (group: readonly number[]): Promise<readonly Entry[]> => {
    const first = group[0]! * queues.length;
    const keys = group.flatMap((bucket) => queues.map((queue) => names.index(bucket, 'd', queue)));
    const args = [query.before, query.limit + 1, first, from, place, given];
    const found = (await connection.run(due, keys, args)) as readonly (readonly Buffer[])[];
    return found.flatMap((list, index) =>
      entriesOf(list, names, first + index, group[Math.floor(index / queues.length)]!),
    );
  };
  const entries = (await Promise.all(groups.map(ask))).flat().toSorted((a, b) => a.at - b.at || a.place - b.place);
  const page = entries.slice(0, query.limit);
  const keys = page.map(({ key }) => key);
  const last = page.at(-1);
  if (entries.length <= query.limit || last === undefined) return { keys, cursor: undefined };
  const alike = page.filter((entry) => entry.at === last.at && entry.place === last.place).length;
  const before = last.at === from && last.place === place ? given : 0;
  return { keys, cursor: writeCursor([last.at, last.place, before + alike]) }; // U1
}

async function removeExpired(
  connection: Connection,
  names: KeyNames,
  groups: readonly (readonly number[])[],
): Promise<void> {
  await Promise.all(
    groups.map(async (group) =>
      connection.run(
        expire,
        group.map((bucket) => names.index(bucket, 'x', '')),
        [],
      ),
    ),
  );
}

function entriesOf(list: readonly Buffer[], names: KeyNames, place: number, bucket: number): readonly Entry[] {
  const entries: Entry[] = [];
  for (let i = 0; i < list.length; i += 2) {
    entries.push({ at: Number(list[i + 1]!.toString()), place, key: names.member(bucket, list[i]!) });
  }
  return entries;
}
