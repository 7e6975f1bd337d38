// Attention: which records are received, and when.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import { FAR_MS, jobKey, LEASE_MS } from '../ledger/ledger-probe.js';
import type { ProbedBackend } from './fused-probe.js';
import { grantsOf, idsOf } from './fused-probe.js';

/** Which records are received, and when. */
export function attention(test: Test<ProbedBackend>): void {
  test('P1: receives a record once its wakeAt has come, and not before', async ({ ledger, probe, advance }) => {
    const wakeAt = (await ledger.ledger.now()) + LEASE_MS;
    await ledger.place('a', { wakeAt, dueAt: wakeAt });
    const pending = probe.receive();
    await advance(LEASE_MS / 2);
    expect(pending.answered()).toBe(false);
    await advance(LEASE_MS / 2);
    const [grant] = grantsOf(await pending.answer);
    expect(grant?.record.key.id).toBe('a');
    expect(grant?.at).toBeGreaterThanOrEqual(wakeAt);
  });

  test('looks at wakeAt only, so that a hop is received before it is due', async ({ ledger, probe }) => {
    await ledger.place('grace', { wakeAt: ledger.start + FAR_MS });
    await ledger.place('hop', { dueAt: ledger.start + FAR_MS });
    expect(idsOf(await probe.take())).toEqual(['hop']);
    await probe.nothing();
  });

  test('wakes a waiting receiver for a record that is placed meanwhile', async ({ ledger, probe, advance }) => {
    const pending = probe.receive();
    await advance(50);
    await ledger.place('a');
    expect(idsOf(grantsOf(await pending.answer))).toEqual(['a']);
  });

  test('wakes a receiver of another handle', async ({ ledger, probe, second, advance }, skip) => {
    if (second === undefined) return skip('The harness offers no second handle.');
    const other = await second();
    const pending = probe.receive();
    await advance(50);
    await ledger.through(other.ledger).place('a');
    await advance(100);
    expect(idsOf(grantsOf(await pending.answer))).toEqual(['a']);
  });

  test('wakes for an earlier record than the one it waits for', async ({ ledger, probe, advance }) => {
    const now = await ledger.ledger.now();
    await ledger.place('later', { wakeAt: now + FAR_MS });
    const pending = probe.receive();
    await advance(50);
    await ledger.place('sooner', { wakeAt: now + 300 });
    await advance(300);
    expect(idsOf(grantsOf(await pending.answer))).toEqual(['sooner']);
  });

  test('follows a record that is moved, settled or removed', async ({ ledger, probe, advance }) => {
    const now = await ledger.ledger.now();
    const soon = { wakeAt: now + 300 };
    for (const id of ['moved', 'settled', 'removed', 'elsewhere']) await ledger.place(id, soon);
    await ledger.put('moved', { version: 1 }, ledger.content({ wakeAt: now + FAR_MS }));
    await ledger.put('settled', { version: 1 }, ledger.settled());
    await ledger.commit([{ do: 'remove', key: jobKey('removed'), expect: { any: true } }]);
    await ledger.put('elsewhere', { version: 1 }, ledger.content({ ...soon, queue: 'other' }));
    await advance(400);
    await probe.nothing();
    expect(idsOf(await probe.take({ queue: 'other' }))).toEqual(['elsewhere']);
    await ledger.put('moved', { version: 2 });
    expect(await probe.one()).toMatchObject({ record: { key: jobKey('moved'), version: 4 } });
  });

  test('keeps queues apart', async ({ ledger, probe }) => {
    await ledger.place('a', { queue: 'one' });
    await probe.nothing();
    await probe.nothing({ queue: 'on' });
    expect(idsOf(await probe.take({ queue: 'one' }))).toEqual(['a']);
  });

  test('receives records of every kind', async ({ ledger, probe }) => {
    const key = { kind: 'schedule', id: 's', partition: 's' };
    await ledger.commit([{ do: 'put', key, expect: { absent: true }, content: ledger.content() }]);
    expect((await probe.one()).record.key).toEqual(key);
  });

  test('receives what has waited longest first', async ({ ledger, probe }) => {
    for (const ms of [300, 100, 200]) await ledger.place(`since-${ms}`, { wakeAt: ledger.start - 1000 - ms });
    const order = [];
    for (let turn = 0; turn < 3; turn += 1) order.push(...idsOf(await probe.take({ max: 1, leaseMs: 60_000 })));
    expect(order).toEqual(['since-300', 'since-200', 'since-100']);
  });
}
