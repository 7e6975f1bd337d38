// Marks: settled records of which little need be kept. A ledger may keep all; what it must keep is tested here.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { asGranted, FAR_MS, jobKey } from './ledger-probe.js';
import type { LedgerProbe } from './ledger-probe.js';

const BRIEF = '00ab3f';

/** Brief records (`RecordContent.brief`). */
export function marks(test: Test<ProbedLedger>): void {
  test('a settled brief record is settled for every claim, in its state', async ({ probe }) => {
    for (const state of ['done', 'skipped', 'cancelled', 'dead', 'another']) {
      await finish(probe, state, { state });
      const create = probe.content({ brief: BRIEF });
      expect(await probe.claim(state, { create, generation: 2 ** 52 })).toMatchObject({
        answer: 'settled',
        record: { key: jobKey(state), state, version: 3, lease: undefined, wakeAt: undefined, outbox: [] },
      });
      expect(await probe.read(state)).toMatchObject({ state, version: 3 });
    }
    expect(await probe.dueIds(probe.start + 10 * FAR_MS)).toEqual([]);
  });

  test('L4: a repeated put that settled a brief record is ok; another holder has lost, another put a conflict', async ({
    probe,
  }) => {
    const again = await finish(probe, 'a');
    expect(await again()).toEqual({ answer: 'ok' });
    expect(await probe.put('a', { version: 2, fence: 7 }, briefly(probe))).toEqual({ answer: 'lost' });
    expect(await probe.put('a', { absent: true })).toMatchObject({ answer: 'conflict', record: { state: 'done' } });
    expect(await probe.put('a', { version: 2 })).toMatchObject({ answer: 'conflict', record: { version: 3 } });
    expect(await probe.renew('a', 7)).toEqual({ answer: 'lost' });
  });

  test('L2: a record that takes a brief one’s place goes on from its version', async ({ probe }) => {
    await finish(probe, 'a');
    expect(await probe.put('a', { version: 3 }, probe.content({ body: '{"again":1}' }))).toEqual({ answer: 'ok' });
    const { record } = await probe.grant('a');
    expect(record).toMatchObject({ version: 5, body: '{"again":1}', interrupted: [] });
    expect(await probe.dueIds(probe.start + FAR_MS)).toEqual(['a']);
  });

  test('a brief record is removed like any other', async ({ probe }) => {
    await finish(probe, 'a');
    const remove = () => probe.commit([{ do: 'remove', key: jobKey('a'), expect: { version: 3 } }], 'remove');
    expect(await remove()).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toBeUndefined();
    expect(await probe.claim('a')).toEqual({ answer: 'absent' });
    expect(await remove()).toEqual({ answer: 'ok' });
  });

  test('a brief record with something left to send is kept whole', async ({ probe }) => {
    const { record, fence } = await probe.placeAndGrant('a');
    const outbox = [{ message: { id: 'm', queue: 'q', body: new Uint8Array([1]), deliverAt: 1 }, wakeAt: 1 }];
    await probe.put('a', { version: record.version, fence }, briefly(probe, { outbox }));
    expect(await probe.read('a')).toMatchObject({ outbox, task: 'send-mail' });
    expect(await probe.claim('a')).toMatchObject({ answer: 'settled', record: { outbox } });
  });

  test('an open brief record is kept whole', async ({ probe }) => {
    const placed = await probe.place('a', { brief: BRIEF, expiresAt: probe.start + FAR_MS });
    expect(placed).toMatchObject({ task: 'send-mail', body: '{"to":"ada"}' });
    expect((await probe.grant('a')).record).toMatchObject({ task: 'send-mail', body: '{"to":"ada"}' });
  });
}

/** Places, claims and settles a job with brief content, and returns how to repeat the last. */
async function finish(probe: LedgerProbe, id: string, over: Parameters<typeof briefly>[1] = {}) {
  const grant = await probe.placeAndGrant(id);
  const nonce = probe.nonce();
  const settle = () => probe.put(id, asGranted(grant), briefly(probe, over), nonce);
  expect(await settle()).toEqual({ answer: 'ok' });
  return settle;
}

function briefly(probe: LedgerProbe, over: Parameters<LedgerProbe['settled']>[0] = {}) {
  return probe.settled({ state: 'done', expiresAt: probe.start + FAR_MS, brief: BRIEF, ...over });
}
