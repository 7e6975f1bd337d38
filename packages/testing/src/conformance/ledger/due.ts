// Due: which open records want attention, earliest first.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { FAR_MS, jobKey, LEASE_MS } from './ledger-probe.js';

/** What wants attention. */
export function due(test: Test<ProbedLedger>): void {
  test('lists open records by wakeAt, up to and with the instant asked for', async ({ probe }) => {
    const at = (ms: number) => ({ wakeAt: probe.start + ms });
    await probe.place('c', at(300));
    await probe.place('a', at(200));
    await probe.place('b', at(100));
    await probe.place('later', at(301));
    await probe.place('settled', { wakeAt: undefined });
    expect(await probe.dueIds(probe.start + 300)).toEqual(['b', 'a', 'c']);
    expect(await probe.dueIds(probe.start + 99)).toEqual([]);
  });

  test('looks at wakeAt, not at the due time', async ({ probe }) => {
    await probe.place('hop', { dueAt: probe.start + FAR_MS, wakeAt: probe.start });
    await probe.place('grace', { dueAt: probe.start - FAR_MS, wakeAt: probe.start + FAR_MS });
    expect(await probe.dueIds(probe.start)).toEqual(['hop']);
  });

  test('shows whole records', async ({ probe }) => {
    const placed = await probe.place('a');
    expect(await probe.ledger.due({ queues: ['default'], before: probe.start, limit: 10 })).toEqual({
      records: [placed],
    });
  });

  test('keeps to the queues asked for, and merges them by time', async ({ probe }) => {
    await probe.place('a', { queue: 'one', wakeAt: probe.start + 1 });
    await probe.place('b', { queue: 'two', wakeAt: probe.start + 2 });
    await probe.place('c', { queue: 'one', wakeAt: probe.start + 3 });
    await probe.place('d', { queue: 'three', wakeAt: probe.start + 4 });
    expect(await probe.dueIds(probe.start + 10, 'one')).toEqual(['a', 'c']);
    expect(await probe.dueIds(probe.start + 10, 'two', 'one')).toEqual(['a', 'b', 'c']);
    expect(await probe.dueIds(probe.start + 10, 'on', 'one two', 'nowhere')).toEqual([]);
  });

  test('counts a leased record from the end of its lease', async ({ probe }) => {
    const { fence, record } = await probe.placeAndGrant('a');
    const until = record.lease!.until;
    expect(await probe.dueIds(until - 1)).toEqual([]);
    expect(await probe.dueIds(until)).toEqual(['a']);
    const renewal = await probe.renew('a', fence, 10 * LEASE_MS);
    if (renewal.answer !== 'ok') throw new Error('Expected ok.');
    expect(await probe.dueIds(renewal.until - 1)).toEqual([]);
    expect(await probe.dueIds(renewal.until)).toEqual(['a']);
  });

  test('lets a sweep put off a record whose lease has ended', async ({ probe, advance }) => {
    const { record } = await probe.placeAndGrant('a');
    const until = record.lease!.until;
    await advance(until - probe.start);
    await probe.put('a', { version: record.version }, probe.content({ wakeAt: until + 5000 }));
    expect(await probe.dueIds(until + 4999)).toEqual([]);
    expect(await probe.dueIds(until + 5000)).toEqual(['a']);
  });

  test('follows every change of a record', async ({ probe }) => {
    const { start } = probe;
    await probe.place('a');
    await probe.put('a', { any: true }, probe.content({ wakeAt: start + 5000 }));
    expect(await probe.dueIds(start)).toEqual([]);
    await probe.put('a', { any: true }, probe.content({ wakeAt: start - 5000 }));
    expect(await probe.dueIds(start)).toEqual(['a']);
    await probe.put('a', { any: true }, probe.content({ queue: 'other' }));
    expect(await probe.dueIds(start)).toEqual([]);
    expect(await probe.dueIds(start, 'other')).toEqual(['a']);
    await probe.put('a', { any: true }, probe.settled({ queue: 'other' }));
    expect(await probe.dueIds(start + FAR_MS, 'other')).toEqual([]);
    await probe.put('a', { any: true });
    expect(await probe.dueIds(start)).toEqual(['a']);
    const { fence, record } = await probe.grant('a');
    await probe.put('a', { version: record.version, fence }, probe.content({ wakeAt: start + 50 }));
    expect(await probe.dueIds(start + 50)).toEqual(['a']);
    expect(await probe.dueIds(start + 49)).toEqual([]);
    await probe.commit([{ do: 'remove', key: jobKey('a'), expect: { any: true } }]);
    expect(await probe.dueIds(start + FAR_MS)).toEqual([]);
  });

  test('does not show a record twice after it was granted again and again', async ({ probe, advance }) => {
    await probe.place('a');
    for (let round = 0; round < 3; round += 1) {
      await probe.grant('a', { leaseMs: 20 });
      await advance(20);
    }
    expect(await probe.dueIds(probe.start + FAR_MS)).toEqual(['a']);
  });

  test('shows records of every kind', async ({ probe }) => {
    const key = { kind: 'schedule', id: 's', partition: 's' };
    await probe.commit([{ do: 'put', key, expect: { absent: true }, content: probe.content() }]);
    await probe.place('a', { wakeAt: probe.start });
    expect(await probe.dueIds(probe.start)).toEqual(['s', 'a']);
  });

  test('gives pages of at most the limit, in order, each record once, also among equals', async ({ probe }) => {
    const ids = Array.from({ length: 120 }, (_, index) => `job-${(index * 37) % 120}`);
    await probe.ledger.commit(
      ids.map((id, index) => ({
        nonce: probe.nonce(),
        durable: true,
        writes: [
          {
            do: 'put',
            key: jobKey(id),
            expect: { absent: true },
            content: probe.content({ queue: index % 2 ? 'odd' : 'even', wakeAt: probe.start + Math.floor(index / 40) }),
          },
        ],
      })),
    );
    const records = await probe.pages(async (cursor) => {
      const page = await probe.ledger.due({ queues: ['odd', 'even'], before: probe.start + 10, limit: 7, ...cursor });
      expect(page.records.length).toBeLessThanOrEqual(7);
      return page;
    });
    const times = records.map((record) => record.wakeAt!);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(records.map((record) => record.key.id).toSorted()).toEqual(ids.toSorted());
  });
}
