// Renewals: how a lease is prolonged, and what a renewal tells.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { jobKey, LEASE_MS } from './ledger-probe.js';

/** Prolonging a lease. */
export function renewals(test: Test<ProbedLedger>): void {
  test('L6: prolongs a lease from now on, and leaves the version', async ({ ledger, probe, advance }) => {
    const { fence, record } = await probe.placeAndGrant('a');
    await advance(LEASE_MS / 2);
    const before = await ledger.now();
    const answer = await probe.renew('a', fence);
    const after = await ledger.now();
    if (answer.answer !== 'ok') throw new Error('Expected ok.');
    expect(answer.version).toBe(2);
    expect(answer.until).toBeGreaterThanOrEqual(before + LEASE_MS);
    expect(answer.until).toBeLessThanOrEqual(after + LEASE_MS);
    expect(await probe.read('a')).toEqual({ ...record, lease: { ...record.lease, until: answer.until } });
  });

  test('L3: a prolonged lease keeps others out beyond its first end', async ({ probe, advance }) => {
    const { fence } = await probe.placeAndGrant('a', { leaseMs: 300 });
    await advance(100);
    await probe.renew('a', fence, 60_000);
    await advance(300);
    expect(await probe.claim('a')).toMatchObject({ answer: 'busy' });
  });

  test('never shortens a lease', async ({ probe }) => {
    const { fence, record } = await probe.placeAndGrant('a', { leaseMs: 60_000 });
    expect(await probe.renew('a', fence, 10)).toEqual({ answer: 'ok', version: 2, until: record.lease!.until });
    expect(await probe.read('a')).toEqual(record);
  });

  test('tells of somebody’s wish by the version', async ({ probe }) => {
    const { fence } = await probe.placeAndGrant('a');
    await probe.put('a', { version: 2 }, probe.content({ state: 'wished' }));
    expect(await probe.renew('a', fence)).toMatchObject({ answer: 'ok', version: 3 });
  });

  test('revives a lease that has ended, if nobody has taken over', async ({ probe, advance }) => {
    const { fence } = await probe.placeAndGrant('a', { leaseMs: 20 });
    await advance(LEASE_MS);
    expect(await probe.renew('a', fence)).toMatchObject({ answer: 'ok' });
    expect(await probe.claim('a')).toMatchObject({ answer: 'busy', record: { interrupted: [] } });
  });

  test('is lost after a takeover, and gives the old holder nothing', async ({ probe, advance }) => {
    const old = await probe.placeAndGrant('a', { leaseMs: 20 });
    await advance(20);
    const { record } = await probe.grant('a');
    expect(await probe.renew('a', old.fence, 60_000)).toEqual({ answer: 'lost' });
    expect(await probe.read('a')).toEqual(record);
  });

  test('is lost once the holder has resolved its lease', async ({ probe }) => {
    const { fence } = await probe.placeAndGrant('a');
    await probe.put('a', { version: 2, fence });
    expect(await probe.renew('a', fence)).toEqual({ answer: 'lost' });
    expect(await probe.read('a')).toMatchObject({ lease: undefined });
  });

  test('is lost where nothing is, was granted, or is left', async ({ probe }) => {
    expect(await probe.renew('nowhere', 1)).toEqual({ answer: 'lost' });
    await probe.place('never-granted');
    expect(await probe.renew('never-granted', 0)).toEqual({ answer: 'lost' });
    const { fence } = await probe.placeAndGrant('removed');
    await probe.commit([{ do: 'remove', key: jobKey('removed'), expect: { any: true } }]);
    expect(await probe.renew('removed', fence)).toEqual({ answer: 'lost' });
  });
}
