// List: finding records by what they are about, page by page.

import { expect } from 'vitest';
import type { ListQuery, RecordContent } from '@carillon/core/spi';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { jobKey } from './ledger-probe.js';
import type { LedgerProbe } from './ledger-probe.js';

/** Queries and their pages. */
export function list(test: Test<ProbedLedger>): void {
  test('lists records of one kind, open and settled, as they are', async ({ probe }) => {
    const open = await probe.place('a');
    const settled = await probe.place('b', probe.settled());
    const key = { kind: 'other', id: 'c', partition: 'c' };
    await probe.commit([{ do: 'put', key, expect: { absent: true }, content: probe.content() }]);
    const page = await probe.ledger.list({ kind: 'job', limit: 10 });
    expect(page.records.toSorted(byId)).toEqual([open, settled]);
    expect(await ids(probe, { kind: 'other' })).toEqual(['c']);
    expect(await ids(probe, { kind: 'jo' })).toEqual([]);
  });

  test('narrows by task, queue and states, alone and together', async ({ probe }) => {
    await probe.place('a', { task: 'mail', queue: 'one', state: 'scheduled' });
    await probe.place('b', { task: 'mail', queue: 'two', state: 'dead' });
    await probe.place('c', { task: 'bill', queue: 'one', state: 'dead' });
    await probe.place('d', { task: 'bill', queue: 'two', state: 'running' });
    expect(await ids(probe, { task: 'mail' })).toEqual(['a', 'b']);
    expect(await ids(probe, { queue: 'two' })).toEqual(['b', 'd']);
    expect(await ids(probe, { states: ['dead'] })).toEqual(['b', 'c']);
    expect(await ids(probe, { states: ['scheduled', 'running'] })).toEqual(['a', 'd']);
    expect(await ids(probe, { task: 'mail', queue: 'two', states: ['dead', 'running'] })).toEqual(['b']);
    expect(await ids(probe, { task: 'mail', states: ['running'] })).toEqual([]);
  });

  test('narrows by the beginning of the id, letter by letter', async ({ probe }) => {
    for (const id of ['order-1', 'order-10', 'order-2', 'orders', 'Order-1', 'order*', 'ordér']) await probe.place(id);
    expect(await ids(probe, { idPrefix: 'order-1' })).toEqual(['order-1', 'order-10']);
    expect(await ids(probe, { idPrefix: 'order*' })).toEqual(['order*']);
    expect(await ids(probe, { idPrefix: 'ordé' })).toEqual(['ordér']);
    expect(await ids(probe, { idPrefix: 'orders' })).toEqual(['orders']);
    expect(await ids(probe, { idPrefix: 'order-3' })).toEqual([]);
  });

  test('narrows by due time, from and before', async ({ probe }) => {
    const { start } = probe;
    for (const ms of [100, 200, 300]) await probe.place(`due-${ms}`, { dueAt: start + ms, wakeAt: start });
    await probe.place('due-250', { dueAt: start + 250, wakeAt: undefined });
    expect(await ids(probe, { dueFrom: start + 200 })).toEqual(['due-200', 'due-250', 'due-300']);
    expect(await ids(probe, { dueBefore: start + 200 })).toEqual(['due-100']);
    expect(await ids(probe, { dueFrom: start + 200, dueBefore: start + 300 })).toEqual(['due-200', 'due-250']);
  });

  test('forgets what a record used to say', async ({ probe }) => {
    await probe.place('a', { state: 'scheduled', task: 'mail', queue: 'one' });
    await probe.put('a', { version: 1 }, probe.settled({ state: 'dead', task: 'bill', queue: 'two' }));
    const queries: readonly Partial<ListQuery>[] = [{ states: ['scheduled'] }, { task: 'mail' }, { queue: 'one' }];
    for (const query of queries) expect(await ids(probe, query)).toEqual([]);
    expect(await ids(probe, { states: ['dead'], task: 'bill', queue: 'two' })).toEqual(['a']);
    await probe.commit([{ do: 'remove', key: jobKey('a'), expect: { any: true } }]);
    expect(await ids(probe, {})).toEqual([]);
  });

  test('pages through 500 records, each once, while others come', async ({ probe }) => {
    const before = Array.from({ length: 500 }, (_, index) => `job-${String((index * 7) % 500).padStart(3, '0')}`);
    await placeAll(probe, before, (index) => ({ state: index % 5 === 0 ? 'dead' : 'scheduled' }));
    let round = 0;
    const page = async (cursor: { cursor?: string }) => {
      round += 1;
      await placeAll(probe, [`a-${round}`, `job-${round}-new`, `z-${round}`], () => ({ state: 'scheduled' }));
      const found = await probe.ledger.list({ kind: 'job', limit: 23, ...cursor });
      expect(found.records.length).toBeLessThanOrEqual(23);
      return found;
    };
    const all = (await probe.pages(page)).map((record) => record.key.id);
    expect(all).toHaveLength(new Set(all).size);
    expect(all.filter((id) => before.includes(id)).toSorted()).toEqual(before.toSorted());
  });

  test('pages through what a filter leaves', async ({ probe }) => {
    const many = Array.from({ length: 100 }, (_, index) => `job-${index}`);
    await placeAll(probe, many, (index) => ({ state: index % 10 === 0 ? 'dead' : 'scheduled' }));
    const records = await probe.pages((cursor) =>
      probe.ledger.list({ kind: 'job', states: ['dead'], limit: 3, ...cursor }),
    );
    const dead = many.filter((_, index) => index % 10 === 0);
    expect(records.map((record) => record.key.id).toSorted()).toEqual(dead.toSorted());
  });

  test('refuses a cursor that no page handed out, of list and of due', async ({ probe }) => {
    await placeAll(probe, ['a', 'b', 'c'], () => ({ state: 'dead' }));
    const { cursor } = await probe.ledger.list({ kind: 'job', limit: 1 });
    const states = ['dead'];
    for (const garbage of [
      '',
      '0.',
      'nonsense',
      '99.AAAA',
      '{}',
      '\0',
      'x'.repeat(300),
      `${cursor}A`,
      cursor!.slice(1),
    ]) {
      const refused = expect.objectContaining({ code: 'E_OPTIONS' });
      await expect(probe.ledger.list({ kind: 'job', limit: 1, cursor: garbage })).rejects.toEqual(refused);
      await expect(probe.ledger.list({ kind: 'job', states, limit: 1, cursor: garbage })).rejects.toEqual(refused);
      await expect(
        probe.ledger.due({ queues: ['default'], before: probe.start, limit: 1, cursor: garbage }),
      ).rejects.toEqual(refused);
    }
  });
}

async function ids(probe: LedgerProbe, query: Partial<ListQuery>): Promise<readonly string[]> {
  const records = await probe.pages((cursor) => probe.ledger.list({ kind: 'job', limit: 2, ...query, ...cursor }));
  return records.map((record) => record.key.id).toSorted();
}

async function placeAll(
  probe: LedgerProbe,
  names: readonly string[],
  over: (index: number) => Partial<RecordContent>,
): Promise<void> {
  const changes = names.map((id, index) => ({
    nonce: probe.nonce(),
    durable: true,
    writes: [{ do: 'put', key: jobKey(id), expect: { absent: true }, content: probe.content(over(index)) } as const],
  }));
  const answers = await probe.ledger.commit(changes);
  expect(answers.every((answer) => answer.answer === 'ok')).toBe(true);
}

function byId(a: { key: { id: string } }, b: { key: { id: string } }): number {
  return a.key.id < b.key.id ? -1 : 1;
}
