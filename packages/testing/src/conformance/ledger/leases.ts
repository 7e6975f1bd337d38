// Leases: who gets a record, in what order a claim is judged, and what a holder may write.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { asGranted, FAR_MS, jobKey, LEASE_MS } from './ledger-probe.js';

/** Claims, grants and what a holder writes (L2, L3, L5, L6 of ports/ledger.ts). */
export function leases(test: Test<ProbedLedger>): void {
  test('L6: grants a record that is due, and raises its version', async ({ ledger, probe }) => {
    const placed = await probe.place('a');
    const before = await ledger.now();
    const grant = await probe.grant('a', { holder: 'engine-b', nonce: 'mine' });
    const after = await ledger.now();
    expect(grant.at).toBeGreaterThanOrEqual(before);
    expect(grant.at).toBeLessThanOrEqual(after);
    const lease = { holder: 'engine-b', nonce: 'mine', since: grant.at, until: grant.at + LEASE_MS };
    expect(grant.record).toEqual({ ...placed, version: 2, fence: grant.fence, lease });
    expect(await probe.read('a')).toEqual(grant.record);
  });

  test('L3: is busy while a lease lives, and says for how long', async ({ probe, advance }) => {
    const { record } = await probe.placeAndGrant('a');
    const answer = await probe.claim('a', { holder: 'engine-b' });
    if (answer.answer !== 'busy') throw new Error(`Expected busy, not ${answer.answer}.`);
    expect(answer.record).toEqual(record);
    expect(answer.retryInMs).toBeGreaterThan(0);
    expect(answer.retryInMs).toBeLessThanOrEqual(LEASE_MS);
    expect(await probe.read('a')).toEqual(record);
    await advance(answer.retryInMs);
    expect(await probe.claim('a', { holder: 'engine-b' })).toMatchObject({ answer: 'granted' });
  });

  test('L3: a holder is no exception for a claim of another nonce', async ({ probe }) => {
    await probe.placeAndGrant('a', { holder: 'engine-a' });
    expect(await probe.claim('a', { holder: 'engine-a' })).toMatchObject({ answer: 'busy' });
  });

  test('L2: the fence grows with every grant, and is at least the time in µs', async ({ ledger, probe, advance }) => {
    await probe.place('a');
    let last = 0;
    for (let round = 0; round < 3; round += 1) {
      const expired = await probe.grant('a', { leaseMs: 20 });
      expect(expired.fence).toBeGreaterThan(last);
      expect(expired.fence).toBeGreaterThanOrEqual(Math.floor(expired.at) * 1000);
      expect(expired.fence).toBeLessThan(((await ledger.now()) + 1000) * 1000);
      await advance(20);
      const { fence, record } = await probe.grant('a');
      expect(fence).toBeGreaterThan(expired.fence);
      expect(await probe.put('a', { version: record.version, fence })).toEqual({ answer: 'ok' });
      expect(await probe.read('a')).toMatchObject({ fence });
      last = fence;
    }
  });

  test('L2: the fence grows also with grants in the same moment', async ({ probe }) => {
    await probe.place('a');
    const fences: number[] = [];
    for (let turn = 0; turn < 20; turn += 1) {
      const grant = await probe.grant('a');
      fences.push(grant.fence);
      expect(await probe.put('a', asGranted(grant))).toEqual({ answer: 'ok' });
    }
    expect(fences).toEqual([...new Set(fences)].toSorted((a, b) => a - b));
  });

  test('is early before the due time, and grants from then on', async ({ ledger, probe, advance }) => {
    const dueAt = (await ledger.now()) + 2000;
    const placed = await probe.place('a', { dueAt });
    const answer = await probe.claim('a');
    if (answer.answer !== 'early') throw new Error(`Expected early, not ${answer.answer}.`);
    expect(answer.record).toEqual(placed);
    expect(answer.inMs).toBeGreaterThan(0);
    expect(answer.inMs).toBeLessThanOrEqual(2000);
    await advance(answer.inMs);
    const { at } = await probe.grant('a');
    expect(at).toBeGreaterThanOrEqual(dueAt);
  });

  test('looks at the due time, not at wakeAt', async ({ probe }) => {
    await probe.place('a', { wakeAt: probe.start + FAR_MS });
    await probe.place('b', { dueAt: probe.start + FAR_MS });
    expect(await probe.claim('a')).toMatchObject({ answer: 'granted' });
    expect(await probe.claim('b')).toMatchObject({ answer: 'early' });
  });

  test('tells a claim of an old generation that it is stale', async ({ probe }) => {
    const placed = await probe.place('a', { generation: 5, dueAt: probe.start + FAR_MS });
    expect(await probe.claim('a', { generation: 4 })).toEqual({ answer: 'stale', record: placed });
    await probe.place('b', { generation: 5 });
    const { record } = await probe.grant('b', { generation: 5 });
    expect(await probe.claim('b', { generation: 4 })).toEqual({ answer: 'stale', record });
  });

  test('tells first of all that a record is settled', async ({ probe }) => {
    await probe.place('a', probe.settled({ generation: 5, dueAt: probe.start + FAR_MS }));
    const record = await probe.demand('a');
    expect(await probe.claim('a', { generation: 4 })).toEqual({ answer: 'settled', record });
  });

  test('tells that a record is settled also while it is leased', async ({ probe }) => {
    const { record } = await probe.placeAndGrant('a', { nonce: 'mine' });
    await probe.put('a', { version: record.version }, probe.settled());
    expect(await probe.claim('a', { nonce: 'mine' })).toMatchObject({ answer: 'settled', record: { version: 3 } });
  });

  test('tells that there is no record', async ({ probe }) => {
    expect(await probe.claim('a')).toEqual({ answer: 'absent' });
    expect(await probe.read('a')).toBeUndefined();
  });

  test('starts a record that the claim brings, and grants it', async ({ probe }) => {
    const create = probe.content({ body: '{"brought":1}', state: 'running', generation: 3 });
    const grant = await probe.grant('a', { create, generation: 3 });
    expect(grant.record).toMatchObject({
      ...create,
      key: jobKey('a'),
      version: 2,
      fence: grant.fence,
      interrupted: [],
    });
    expect(await probe.read('a')).toEqual(grant.record);
    const other = probe.content({ body: '{"brought":2}', generation: 3 });
    const answer = await probe.claim('a', { create: other, generation: 3 });
    expect(answer).toMatchObject({ answer: 'busy', record: { body: '{"brought":1}' } });
  });

  test('starts a record that the claim brings, and judges it like any other', async ({ probe }) => {
    const early = await probe.claim('early', { create: probe.content({ dueAt: probe.start + FAR_MS }) });
    const settled = await probe.claim('settled', { create: probe.settled() });
    expect([early.answer, settled.answer]).toEqual(['early', 'settled']);
    expect(await probe.read('early')).toMatchObject({ version: 1, lease: undefined });
    expect(await probe.read('settled')).toMatchObject({ version: 1, state: 'completed' });
  });

  test('L5: keeps leases that ended without a word, oldest first', async ({ probe, advance }) => {
    await probe.place('a');
    const silent = [];
    for (const holder of ['engine-a', 'engine-b']) {
      const { record } = await probe.grant('a', { holder, leaseMs: 20 });
      expect(record.interrupted).toEqual(silent);
      silent.push(record.lease);
      await advance(20);
    }
    const { fence, record } = await probe.grant('a');
    expect(record.interrupted).toEqual(silent);
    expect(await probe.put('a', { version: 4 })).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toMatchObject({ version: 5, lease: record.lease, interrupted: silent });
    expect(await probe.put('a', { version: 5, fence })).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toMatchObject({ version: 6, fence, lease: undefined, interrupted: [] });
  });

  test('L5: a lease that its holder has resolved is no interruption', async ({ probe, advance }) => {
    await probe.put('a', asGranted(await probe.placeAndGrant('a')));
    await advance(LEASE_MS);
    expect(await probe.grant('a')).toMatchObject({ record: { interrupted: [] } });
  });

  test('resolves the lease with the holder’s put, and grants anew at once', async ({ probe }) => {
    const { fence } = await probe.placeAndGrant('a');
    expect(await probe.put('a', { version: 2, fence })).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toMatchObject({ version: 3, fence, lease: undefined });
    expect(await probe.claim('a')).toMatchObject({ answer: 'granted' });
  });

  test('L6: a write that was decided before the grant meets a conflict, and sees the lease', async ({ probe }) => {
    const { record } = await probe.placeAndGrant('a');
    const conflict = { answer: 'conflict', key: jobKey('a'), record };
    expect(await probe.put('a', { version: 1 }, probe.settled())).toEqual(conflict);
    for (const what of ['check', 'remove'] as const) {
      expect(await probe.commit([{ do: what, key: jobKey('a'), expect: { version: 1 } }])).toEqual(conflict);
    }
    expect(await probe.read('a')).toEqual(record);
  });

  test('leaves the lease alone at anybody’s put', async ({ probe }) => {
    const { fence, record } = await probe.placeAndGrant('a');
    await probe.put('a', { version: 2 }, probe.content({ state: 'wished' }));
    await probe.put('a', { any: true }, probe.content({ state: 'wished again' }));
    expect(await probe.read('a')).toMatchObject({ version: 4, state: 'wished again', fence, lease: record.lease });
    expect(await probe.claim('a')).toMatchObject({ answer: 'busy' });
  });

  test('keeps the lease and the interruptions at a holder’s put that asks for it', async ({ probe, advance }) => {
    const first = await probe.placeAndGrant('a', { leaseMs: 20 });
    await advance(20);
    const { fence, record } = await probe.grant('a');
    const content = probe.content({ body: '{"progress":50}' });
    const put = { do: 'put', key: jobKey('a'), expect: { version: 3, fence }, content, keepLease: true } as const;
    expect(await probe.commit([put])).toEqual({ answer: 'ok' });
    const kept = { version: 4, fence, lease: record.lease, interrupted: [first.record.lease], body: '{"progress":50}' };
    expect(await probe.read('a')).toMatchObject(kept);
    expect(await probe.renew('a', fence)).toMatchObject({ answer: 'ok', version: 4 });
    expect(await probe.put('a', { version: 4, fence })).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toMatchObject({ version: 5, lease: undefined, interrupted: [] });
  });

  test('refuses the holder’s put on another version, and leaves it the lease', async ({ probe }) => {
    const { fence, record } = await probe.placeAndGrant('a');
    await probe.put('a', { version: 2 }, probe.content({ state: 'wished' }));
    const wished = await probe.demand('a');
    expect(await probe.put('a', { version: 2, fence })).toEqual({
      answer: 'conflict',
      key: jobKey('a'),
      record: wished,
    });
    expect(await probe.read('a')).toMatchObject({ version: 3, lease: record.lease });
    expect(await probe.put('a', { version: 3, fence })).toEqual({ answer: 'ok' });
  });

  test('takes the holder’s put after the end of its lease, if nobody has taken over', async ({ probe, advance }) => {
    const grant = await probe.placeAndGrant('a', { leaseMs: 20 });
    await advance(LEASE_MS);
    expect(await probe.put('a', asGranted(grant), probe.settled())).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toMatchObject({ state: 'completed', lease: undefined, interrupted: [] });
  });

  test('L3: a holder that was taken over has lost, whatever it writes', async ({ probe, advance }) => {
    const zombie = await probe.placeAndGrant('a', { leaseMs: 20 });
    await advance(20);
    const { fence, record } = await probe.grant('a', { holder: 'engine-b' });
    const stale = asGranted(zombie);
    expect(await probe.put('a', stale, probe.settled())).toEqual({ answer: 'lost' });
    expect(await probe.commit([{ do: 'remove', key: jobKey('a'), expect: stale }])).toEqual({ answer: 'lost' });
    expect(await probe.read('a')).toEqual(record);
    expect(await probe.put('a', { version: 3, fence: zombie.fence })).toEqual({ answer: 'lost' });
    expect(await probe.put('a', { version: 3, fence }, probe.settled())).toEqual({ answer: 'ok' });
    expect(await probe.put('a', { version: 4, fence: zombie.fence })).toEqual({ answer: 'lost' });
    expect(await probe.read('a')).toMatchObject({ version: 4, state: 'completed' });
  });

  test('a holder of a record that is gone has lost', async ({ probe }) => {
    const { fence } = await probe.placeAndGrant('a');
    await probe.commit([{ do: 'remove', key: jobKey('a'), expect: { any: true } }]);
    expect(await probe.put('a', { version: 2, fence })).toEqual({ answer: 'lost' });
    expect(await probe.read('a')).toBeUndefined();
  });

  test('lets the holder remove its record', async ({ probe }) => {
    const { fence } = await probe.placeAndGrant('a');
    expect(await probe.commit([{ do: 'remove', key: jobKey('a'), expect: { version: 2, fence } }])).toEqual({
      answer: 'ok',
    });
    expect(await probe.read('a')).toBeUndefined();
  });
}
