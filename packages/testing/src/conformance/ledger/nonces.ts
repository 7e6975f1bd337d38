// Nonces: a call that is repeated, because its answer was lost, changes nothing more (L4).

import { expect } from 'vitest';
import type { Write } from '@carillon/core/spi';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { asGranted, jobKey, LEASE_MS, outboxEntry } from './ledger-probe.js';

/** Repeated calls (L4). */
export function nonces(test: Test<ProbedLedger>): void {
  test('L4: a repeated claim is granted again, the same grant', async ({ probe, advance }) => {
    const grant = await probe.placeAndGrant('a', { nonce: 'claim' });
    await advance(100);
    expect(await probe.claim('a', { nonce: 'claim' })).toEqual({ answer: 'granted', ...grant });
    expect(await probe.read('a')).toEqual(grant.record);
  });

  test('L4: a repeated claim whose lease has ended is the same grant, if nobody has taken over', async ({
    probe,
    advance,
  }) => {
    const grant = await probe.placeAndGrant('a', { nonce: 'claim' });
    await advance(LEASE_MS);
    expect(await probe.claim('a', { nonce: 'claim' })).toEqual({ answer: 'granted', ...grant });
    await probe.grant('a');
    expect(await probe.claim('a', { nonce: 'claim' })).toMatchObject({ answer: 'busy' });
  });

  test('L4: a repeated claim that started its record is the same grant', async ({ probe }) => {
    const create = probe.content({ body: '{"brought":1}' });
    const grant = await probe.grant('a', { nonce: 'claim', create });
    expect(await probe.claim('a', { nonce: 'claim', create })).toEqual({ answer: 'granted', ...grant });
    expect(await probe.read('a')).toEqual(grant.record);
  });

  test('L4: a repeated placement is ok and places once', async ({ probe }) => {
    const place = (nonce: string) => probe.put('a', { absent: true }, probe.content(), nonce);
    expect(await place('change')).toEqual({ answer: 'ok' });
    expect(await place('change')).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toMatchObject({ version: 1 });
    expect(await place('another')).toMatchObject({ answer: 'conflict' });
  });

  test('L4: a repeated placement is recognised after the record was claimed and its message sent', async ({
    probe,
  }) => {
    const content = probe.content({ outbox: [outboxEntry('m', probe.start)] });
    await probe.put('a', { absent: true }, content, 'change');
    await probe.commit([{ do: 'sent', key: jobKey('a'), messages: ['m'] }]);
    const { fence } = await probe.grant('a');
    await probe.renew('a', fence);
    expect(await probe.put('a', { absent: true }, content, 'change')).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toMatchObject({ version: 2, fence, outbox: [], lease: { holder: 'engine-a' } });
  });

  test('L4: a repeated put by version is ok and writes once', async ({ probe }) => {
    await probe.place('a');
    for (let call = 0; call < 3; call += 1) {
      expect(await probe.put('a', { version: 1 }, probe.content(), 'change')).toEqual({ answer: 'ok' });
    }
    expect(await probe.read('a')).toMatchObject({ version: 2 });
    expect(await probe.put('a', { version: 1 }, probe.content(), 'another')).toMatchObject({ answer: 'conflict' });
  });

  test('L4: a repeated put over anything writes once', async ({ probe }) => {
    await probe.put('a', { any: true }, probe.content(), 'change');
    await probe.put('a', { any: true }, probe.content(), 'change');
    expect(await probe.read('a')).toMatchObject({ version: 1 });
  });

  test('L4: a repeated put by the holder is ok, also after the next has taken over', async ({ probe }) => {
    const grant = await probe.placeAndGrant('a');
    const settle = () => probe.put('a', asGranted(grant), probe.content({ state: 'retrying' }), 'change');
    expect(await settle()).toEqual({ answer: 'ok' });
    expect(await settle()).toEqual({ answer: 'ok' });
    const next = await probe.grant('a');
    expect(await settle()).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toEqual(next.record);
    expect(next.record.version).toBe(4);
  });

  test('L4: a repeated change of several records does nothing to any of them', async ({ probe }) => {
    const key = (id: string) => jobKey(id, 'shared');
    const put = (id: string): Write => ({
      do: 'put',
      key: key(id),
      expect: { absent: true },
      content: probe.content(),
    });
    await probe.commit([put('old')]);
    const writes: readonly Write[] = [put('a'), put('b'), { do: 'remove', key: key('old'), expect: { version: 1 } }];
    expect(await probe.commit(writes, 'change')).toEqual({ answer: 'ok' });
    expect(await probe.commit(writes, 'change')).toEqual({ answer: 'ok' });

    await probe.commit([{ do: 'put', key: key('b'), expect: { version: 1 }, content: probe.settled() }]);
    await probe.commit([put('old')]);
    expect(await probe.commit(writes, 'change')).toEqual({ answer: 'ok' });
    const [a, b, old] = await probe.ledger.read([key('a'), key('b'), key('old')]);
    expect([a?.version, b?.version, old?.version]).toEqual([1, 2, 1]);
  });

  test('L4: a repeated removal is ok', async ({ probe }) => {
    await probe.place('a');
    const remove = () => probe.commit([{ do: 'remove', key: jobKey('a'), expect: { version: 1 } }], 'change');
    expect(await remove()).toEqual({ answer: 'ok' });
    expect(await remove()).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toBeUndefined();
  });

  test('L4: a repeated report of sent messages strikes nothing more', async ({ probe }) => {
    const entries = ['m1', 'm2'].map((id) => outboxEntry(id, probe.start + 5000));
    await probe.place('a', { outbox: entries });
    const strike = () => probe.commit([{ do: 'sent', key: jobKey('a'), messages: ['m1'] }], 'change');
    expect(await strike()).toEqual({ answer: 'ok' });
    const after = await probe.demand('a');
    expect(await strike()).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toEqual(after);
    expect(after.outbox).toEqual([entries[1]]);
  });

  test('L4: a change that stands twice in one call counts once', async ({ ledger, probe }) => {
    const writes: readonly Write[] = [
      { do: 'put', key: jobKey('a'), expect: { absent: true }, content: probe.content() },
    ];
    const change = { nonce: 'change', writes, durable: true };
    expect(await ledger.commit([change, change])).toEqual([{ answer: 'ok' }, { answer: 'ok' }]);
    expect(await probe.read('a')).toMatchObject({ version: 1 });
  });

  test('L4: a change that failed leaves no trace by which a later one would pass as its repeat', async ({ probe }) => {
    await probe.place('a');
    expect(await probe.put('a', { version: 9 }, probe.content(), 'change')).toMatchObject({ answer: 'conflict' });
    expect(await probe.put('a', { version: 1 }, probe.content({ state: 'new' }), 'change')).toEqual({ answer: 'ok' });
    expect(await probe.read('a')).toMatchObject({ version: 2, state: 'new' });
  });
}
