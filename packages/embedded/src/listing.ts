// Listing: pages of records, for `due` and `list`, with bounded work per page.
//
// P1  A cursor names the last index entry that was looked at, so a page goes on behind it whatever has changed since. A
//     record that changes state between two pages may be met in both, or in neither, if states were asked for.
// P2  A page looks at no more than MOST_LOOKED entries; it may be short, even empty, and go on.

import type { DueQuery, Instant, LedgerRecord, ListQuery, Page } from '@carillon/core/spi';
import { PAIRING } from './catalog.js';
import type { Catalog } from './catalog.js';
import { readCursor, writeCursor } from './cursor.js';
import { keysIn } from './environment.js';
import type { Table } from './environment.js';
import { BUCKETED_RECORD, FOREVER, INDEXED_RECORD, LEASED_RECORD } from './keys.js';
import { after, bound } from './keys.js';
import type { Records } from './records.js';

const MOST_LOOKED = 1000;
const INSTANT = 6; // bytes
const EVERYTHING = { start: Buffer.from([0]), end: Buffer.alloc(8, 255) };

/** A stretch of one table, and where the record's key begins in its keys. */
interface Source {
  readonly table: Table;
  readonly start: Buffer;
  readonly end: Buffer;
  readonly recordAt: number;
}

/** Open records that want attention, earliest first. */
export function listDue(records: Records, catalog: Catalog, query: DueQuery, now: Instant): Page {
  const passed = query.cursor === undefined ? undefined : readCursor('due', query.cursor).passed;
  const found: { readonly order: Buffer; readonly record: LedgerRecord }[] = [];
  for (const source of dueSources(records, catalog, query, passed)) {
    for (const key of keysIn(source.table, { start: source.start, end: source.end, limit: query.limit + 1 })) {
      const record = records.readAt(key, INDEXED_RECORD, now);
      if (record && attentionAt(record)! <= query.before)
        found.push({ order: key.subarray(INDEXED_RECORD - INSTANT), record });
    }
  }
  for (const { order, key, recordAt } of unorderedDue(records, catalog, query, passed)) {
    const record = records.readAt(key, recordAt, now);
    if (record) found.push({ order, record });
  }
  found.sort((a, b) => Buffer.compare(a.order, b.order));
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  const all = page.map(({ record }) => record);
  return found.length > query.limit && last
    ? { records: all, cursor: writeCursor('due', { source: 0, passed: last.order }) }
    : { records: all };
}

/** An entry of a table that is in no order of time. */
interface Unordered {
  readonly order: Buffer;
  readonly key: Buffer;
  readonly recordAt: number;
}

/** The same from the leases, and from the calendar for whoever asks beyond its horizon: all of it has to be looked at. */
function unorderedDue(
  records: Records,
  catalog: Catalog,
  query: DueQuery,
  passed: Buffer | undefined,
): readonly Unordered[] {
  const { calendar, leases } = records;
  const queues = new Set(query.queues.map((queue) => catalog.find(queue)));
  const found: Unordered[] = [];
  const tables: (readonly [table: Table, recordAt: number])[] = [[leases.byRecord, LEASED_RECORD]];
  if (query.before >= calendar.near) tables.push([calendar.days, BUCKETED_RECORD], [calendar.months, BUCKETED_RECORD]);
  for (const [table, recordAt] of tables) {
    for (const { key, value } of table.getRange(EVERYTHING)) {
      if (!queues.has(value.readUInt16BE(0)) || value.readUIntBE(4, INSTANT) > query.before) continue;
      const order = Buffer.concat([value.subarray(4, 4 + INSTANT), key.subarray(recordAt)]);
      if (passed === undefined || Buffer.compare(order, passed) > 0) found.push({ order, key, recordAt });
    }
  }
  found.sort((a, b) => Buffer.compare(a.order, b.order));
  return found.slice(0, query.limit + 1);
}

/** When a record wants attention: at its `wakeAt`, but not before the end of its lease; never once settled. */
function attentionAt({ wakeAt, lease }: LedgerRecord): Instant | undefined {
  return wakeAt === undefined ? undefined : Math.max(lease?.until ?? 0, wakeAt);
}

function dueSources(
  records: Records,
  catalog: Catalog,
  { queues, before }: DueQuery,
  passed: Buffer | undefined,
): readonly Source[] {
  const sources: Source[] = [];
  const behind = passed && next(passed);
  const until = Math.min(Math.max(Math.ceil(before), 0) + 1, FOREVER);
  for (const queue of new Set(queues)) {
    const number = catalog.find(queue);
    if (number === undefined) continue;
    const from = (prefix: Buffer): Buffer => (behind ? Buffer.concat([prefix, behind]) : prefix);
    for (const task of catalog.partners(PAIRING.lane, number)) {
      const end = bound(number, task, until);
      sources.push({ table: records.waiting, start: from(bound(number, task)), end, recordAt: INDEXED_RECORD });
    }
  }
  return sources.filter(({ start, end }) => Buffer.compare(start, end) < 0);
}

/** Records that match, by id unless states were asked for. */
export function list(records: Records, catalog: Catalog, query: ListQuery, now: Instant): Page {
  const place = query.cursor === undefined ? undefined : readCursor('list', query.cursor);
  const kind = catalog.find(query.kind);
  if (kind === undefined) return { records: [] };
  const byState = query.states !== undefined && query.idPrefix === undefined;
  const sources = byState ? stateSources(records, catalog, kind, query) : [idSource(records, kind, query.idPrefix)];
  const found: LedgerRecord[] = [];
  let looked = 0;
  for (let i = place?.source ?? 0; i < sources.length; i += 1) {
    const source = sources[i]!;
    const start = i === place?.source ? next(place.passed) : source.start;
    const keys = keysIn(source.table, { start, end: source.end, limit: MOST_LOOKED - looked });
    for (const key of keys) {
      looked += 1;
      const record = records.readAt(key, source.recordAt, now);
      const isElsewhere = source.table !== records.settled && byState && record?.wakeAt === undefined; // H3
      if (record && !isElsewhere && matches(record, query)) found.push(record);
      if (found.length === query.limit || looked === MOST_LOOKED) {
        return { records: found, cursor: writeCursor('list', { source: i, passed: key }) };
      }
    }
  }
  return { records: found };
}

function idSource(records: Records, kind: number, prefix: string | undefined): Source {
  const start = Buffer.concat([bound(kind), Buffer.from(prefix ?? '')]);
  return { table: records.byId, start, end: after(start), recordAt: 0 };
}

/** Where records in such states stand: settled ones by state, open ones by queue and task. */
function stateSources(records: Records, catalog: Catalog, kind: number, query: ListQuery): readonly Source[] {
  const sources: Source[] = [];
  const states = [...new Set(query.states)].map((state) => catalog.find(state)).filter((state) => state !== undefined);
  const settled = catalog.partners(PAIRING.settled, kind);
  for (const state of states.toSorted((a, b) => a - b)) {
    if (!settled.has(state)) continue;
    const start = bound(kind, state);
    sources.push({ table: records.settled, start, end: after(start), recordAt: INDEXED_RECORD });
  }
  const open = catalog.partners(PAIRING.open, kind);
  if (!states.some((state) => open.has(state))) return sources;
  for (const queue of catalog.firsts(PAIRING.lane)) {
    if (query.queue !== undefined && catalog.name(queue) !== query.queue) continue;
    for (const task of catalog.partners(PAIRING.lane, queue)) {
      if (query.task !== undefined && catalog.name(task) !== query.task) continue;
      const start = bound(queue, task);
      sources.push({ table: records.waiting, start, end: after(start), recordAt: INDEXED_RECORD });
    }
  }
  const start = bound(kind);
  sources.push({ table: records.leases.byRecord, start, end: after(start), recordAt: LEASED_RECORD });
  for (const table of [records.calendar.days, records.calendar.months]) {
    sources.push({ table, ...EVERYTHING, recordAt: BUCKETED_RECORD });
  }
  return sources;
}

function matches(record: LedgerRecord, query: ListQuery): boolean {
  const { states, dueFrom, dueBefore } = query;
  return (
    record.key.kind === query.kind &&
    (query.task === undefined || record.task === query.task) &&
    (query.queue === undefined || record.queue === query.queue) &&
    (states === undefined || states.includes(record.state)) &&
    (dueFrom === undefined || record.dueAt >= dueFrom) &&
    (dueBefore === undefined || record.dueAt < dueBefore)
  );
}

/** The first key behind this one. */
function next(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.from([0])]);
}
