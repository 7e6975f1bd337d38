// Batches: many requests in one call are independent of each other, and are answered in their order.

import { expect } from 'vitest';
import type { Change, Claim, Expectation } from '@carillon/core/spi';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { asGranted, FAR_MS, jobKey, LEASE_MS } from './ledger-probe.js';
import type { LedgerProbe } from './ledger-probe.js';

/** Many requests in one call. */
export function batches(test: Test<ProbedLedger>): void {
  test('takes empty batches', async ({ ledger }) => {
    expect(await ledger.acquire([])).toEqual([]);
    expect(await ledger.renew([])).toEqual([]);
    expect(await ledger.commit([])).toEqual([]);
    expect(await ledger.read([])).toEqual([]);
  });

  test('L1: changes of one call succeed and fail on their own, and answer in order', async ({ ledger, probe }) => {
    const all = Array.from({ length: 200 }, (_, index) => `job-${index}`);
    for (const id of all.filter((_, index) => index % 3 === 0)) await probe.place(id, { state: 'old' });
    const answers = await ledger.commit(all.map((id) => putOf(probe, id, { absent: true }, 'new')));
    expect(answers.map((answer) => answer.answer)).toEqual(
      all.map((_, index) => (index % 3 === 0 ? 'conflict' : 'ok')),
    );
    const records = await ledger.read(all.map((id) => jobKey(id)));
    expect(records.map((record) => record?.state)).toEqual(all.map((_, index) => (index % 3 === 0 ? 'old' : 'new')));
  });

  test('changes of one call on one record see each other, in order', async ({ ledger, probe }) => {
    const answers = await ledger.commit([
      putOf(probe, 'a', { absent: true }, 'one'),
      putOf(probe, 'a', { absent: true }, 'two'),
      putOf(probe, 'a', { version: 1 }, 'three'),
      putOf(probe, 'a', { version: 1 }, 'four'),
      putOf(probe, 'a', { any: true }, 'five'),
    ]);
    expect(answers.map((answer) => answer.answer)).toEqual(['ok', 'conflict', 'ok', 'conflict', 'ok']);
    expect(answers[1]).toMatchObject({ record: { state: 'one', version: 1 } });
    expect(answers[3]).toMatchObject({ record: { state: 'three', version: 2 } });
    expect(await probe.read('a')).toMatchObject({ state: 'five', version: 3 });
  });

  test('L3: claims of one call are judged one after another, and answer in order', async ({ ledger, probe }) => {
    await probe.place('free');
    await probe.place('early', { dueAt: probe.start + FAR_MS });
    await probe.place('settled', probe.settled());
    await probe.place('stale', { generation: 9 });
    await probe.placeAndGrant('held');
    const order = ['held', 'free', 'nowhere', 'free', 'early', 'settled', 'stale'];
    const answers = await ledger.acquire(order.map((id) => claimOf(probe, id)));
    const words = ['busy', 'granted', 'absent', 'busy', 'early', 'settled', 'stale'];
    expect(answers.map((answer) => answer.answer)).toEqual(words);
    const shown = answers.map((answer) => ('record' in answer ? answer.record.key.id : 'nowhere'));
    expect(shown).toEqual(order);
  });

  test('renewals of one call answer in order', async ({ ledger, probe }) => {
    const first = await probe.placeAndGrant('a');
    const second = await probe.placeAndGrant('b');
    await probe.put('b', { any: true });
    const answers = await ledger.renew([
      { key: jobKey('b'), fence: second.fence, leaseMs: LEASE_MS },
      { key: jobKey('a'), fence: first.fence - 1, leaseMs: LEASE_MS },
      { key: jobKey('a'), fence: first.fence, leaseMs: LEASE_MS },
    ]);
    expect(answers).toMatchObject([{ answer: 'ok', version: 3 }, { answer: 'lost' }, { answer: 'ok', version: 2 }]);
  });

  test('reads in the order asked for, with gaps and repeats', async ({ ledger, probe }) => {
    await probe.place('a');
    await probe.place('b');
    const records = await ledger.read(['b', 'nowhere', 'a', 'b'].map((id) => jobKey(id)));
    expect(records.map((record) => record?.key.id)).toEqual(['b', undefined, 'a', 'b']);
  });

  test('grants a hundred claims of one call', async ({ ledger, probe }) => {
    const all = Array.from({ length: 100 }, (_, index) => `job-${index}`);
    await ledger.commit(all.map((id) => putOf(probe, id, { absent: true }, 'new')));
    const answers = await ledger.acquire(all.map((id) => claimOf(probe, id)));
    expect(answers.every((answer) => answer.answer === 'granted')).toBe(true);
    const changes = all.map((id, index) => {
      const answer = answers[index]!;
      return putOf(probe, id, answer.answer === 'granted' ? asGranted(answer) : { absent: true }, 'done');
    });
    const settled = await ledger.commit(changes.map((change) => ({ ...change, durable: false })));
    expect(settled.every((answer) => answer.answer === 'ok')).toBe(true);
    const records = await ledger.read(all.map((id) => jobKey(id)));
    expect(records.every((record) => record?.state === 'done' && record.lease === undefined)).toBe(true);
  });
}

function putOf(probe: LedgerProbe, id: string, expect: Expectation, state: string): Change {
  const content = probe.content({ state });
  return { nonce: probe.nonce(), durable: true, writes: [{ do: 'put', key: jobKey(id), expect, content }] };
}

function claimOf(probe: LedgerProbe, id: string): Claim {
  return { key: jobKey(id), generation: 1, holder: 'engine-a', nonce: probe.nonce(), leaseMs: 60_000 };
}
