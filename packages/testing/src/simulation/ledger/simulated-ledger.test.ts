import type { LedgerRecord } from '@carillon/core/spi';
import { expect, test } from 'vitest';
import type { Happened } from '../observation.js';
import { Chance, streamOf } from '../plan/faults.js';
import { World } from '../world/world.js';
import { SimulatedLedger } from './simulated-ledger.js';

const START = Date.UTC(2026, 0, 1);

function recordOf(id: string, version = 1): LedgerRecord {
  const times = { dueAt: START, wakeAt: START, expiresAt: undefined };
  const content = { queue: 'default', task: 'mail', state: 'scheduled', durableGrant: false, body: '{}', outbox: [] };
  const key = { kind: 'job', id, partition: '00' };
  return { key, generation: 1, version, fence: 0, lease: undefined, interrupted: [], ...times, ...content };
}

/** A ledger, and what it has told: `change id before→after`, with versions. */
function ledger() {
  const world = new World(START, streamOf(1, 'world'));
  const told: string[] = [];
  const hosts: (string | undefined)[] = [];
  const tell = (seen: Happened): void => {
    hosts.push(seen.host);
    if (seen.what !== 'record' && seen.what !== 'forgotten') return;
    const change = seen.what === 'record' ? seen.change : 'forgotten';
    told.push(`${change} ${seen.key.id} ${seen.before?.version ?? 'none'}→${seen.after?.version ?? 'none'}`);
  };
  const made = new SimulatedLedger({ world, chance: new Chance(1, { failover: 1, 'clock-step': 1 }), tell });
  const put = (id: string, version: number): void => made.records.put({ record: recordOf(id, version), nonce: '' });
  return { world, made, put, told, hosts };
}

test('G2: a failover forgets the last moments, and tells of each record what it was and is', async () => {
  const { world, made, put, told } = ledger();
  put('kept', 1);
  put('changed', 1);
  put('removed', 1);
  await world.runUntil(START + 60_000);
  put('changed', 2);
  put('changed', 3);
  put('new', 1);
  made.records.delete(recordOf('removed').key);
  put('fleeting', 1);
  made.records.delete(recordOf('fleeting').key);
  told.length = 0;
  made.failOver();
  expect(told.toSorted()).toEqual(['forgotten changed 3→1', 'forgotten new 1→none', 'forgotten removed none→1']);
  const versions = ['kept', 'changed', 'removed', 'new'].map(
    (id) => made.records.get(recordOf(id).key)?.record.version,
  );
  expect(versions).toEqual([1, 1, 1, undefined]);
});

test('G2: a failover forgets nothing that is older than its lag', async () => {
  const { world, made, put, told } = ledger();
  put('old', 1);
  await world.runUntil(START + 2_001);
  made.failOver();
  expect(told).toEqual(['written old none→1']);
});

test('G3: a grant in nobody’s call is its holder’s, any other that of the caller', () => {
  const { made, put, hosts } = ledger();
  put('a', 1);
  const lease = { holder: 'engine-1.2', nonce: '', since: START, until: START + 30_000 };
  made.records.put({ record: { ...recordOf('a', 2), fence: 1, lease }, nonce: '' });
  made.serve('engine-2', () => made.records.put({ record: { ...recordOf('a', 3), fence: 2, lease }, nonce: '' }));
  expect(hosts).toEqual([undefined, 'engine-1', 'engine-2']);
});

test('the leases of a process that has died end at once, and nobody else’s', () => {
  const { made, told } = ledger();
  const leaseOf = (holder: string) => ({ holder, nonce: '', since: START, until: START + 30_000 });
  for (const [id, holder] of [
    ['late', 'engine-1.1'],
    ['early', 'engine-1.1'],
    ['other', 'engine-1.2'],
  ] as const)
    made.records.put({ record: { ...recordOf(id), lease: leaseOf(holder) }, nonce: '' });
  made.records.put({ record: recordOf('free'), nonce: '' });
  told.length = 0;
  made.endLeases('engine-1.1');
  made.endLeases('engine-1.1');
  expect(told).toEqual(['renewed late 1→1', 'renewed early 1→1']); // as they were filed, which a seed depends on
  const untils = ['late', 'early', 'other'].map((id) => made.records.get(recordOf(id).key)!.record.lease?.until);
  expect(untils).toEqual([START, START, START + 30_000]);
});

test('what has been due once stays so when the clock steps back', async () => {
  const { world, made } = ledger();
  let [shown, back] = [-Infinity, 0];
  for (let steps = 0; steps < 50; steps += 1) {
    made.stepClock();
    if (made.now() < shown) back += 1;
    shown = Math.max(shown, made.now());
    expect(made.latest).toBe(shown);
    await world.runUntil(world.now + 100);
  }
  expect(back).toBeGreaterThan(5);
});
