// Grants: what is received is held, as if it had been claimed; it ends by what is committed.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import { asGranted, jobKey, LEASE_MS, outboxEntry } from '../ledger/ledger-probe.js';
import type { ProbedBackend } from './fused-probe.js';
import { idsOf } from './fused-probe.js';

/** What is received is held. */
export function grants(test: Test<ProbedBackend>): void {
  test('L3: a received record is granted to the receiver, and busy for everybody else', async ({ ledger, probe }) => {
    const over = { generation: 7, body: '{"n":1}', outbox: [outboxEntry('m', ledger.start)] };
    const placed = await ledger.place('a', over);
    const grant = await probe.one({ holder: 'engine-b', leaseMs: 5000 });
    const lease = { holder: 'engine-b', nonce: expect.stringMatching(/./), since: grant.at, until: grant.at + 5000 };
    expect(grant.record).toEqual({ ...placed, version: 2, fence: grant.fence, lease });
    expect(await ledger.read('a')).toEqual(grant.record);
    expect(await ledger.claim('a', { generation: 7 })).toMatchObject({ answer: 'busy' });
    await probe.nothing();
  });

  test('brings no body in the delivery, and its queue', async ({ ledger, probe }) => {
    await ledger.place('a');
    const [delivery] = await probe.receive().answer;
    expect(delivery).toMatchObject({ queue: 'default', attempt: 1 });
    expect(delivery?.body).toHaveLength(0);
  });

  test('ends by what is committed, not by what is said to the delivery', async ({ ledger, probe }) => {
    await ledger.place('a');
    const [delivery] = await probe.receive().answer;
    const before = await ledger.read('a');
    expect(await delivery!.ack()).toBe('ok');
    expect(await delivery!.extend(60_000)).toBe('ok');
    expect(await delivery!.release(0)).toBe('ok');
    expect(await ledger.read('a')).toEqual(before);
  });

  test('L2: the fence is at least the time in µs, and grows from grant to grant', async ({ ledger, probe }) => {
    await ledger.place('a');
    let last = 0;
    for (let turn = 0; turn < 10; turn += 1) {
      const { fence, at, record } = await probe.one();
      expect(fence).toBeGreaterThan(last);
      expect(fence).toBeGreaterThanOrEqual(Math.floor(at) * 1000);
      expect(await ledger.put('a', { version: record.version, fence })).toEqual({ answer: 'ok' });
      last = fence;
    }
  });

  test('P2, L5: receives again what was held in silence to its lease’s end, and shows the interruption', async ({
    ledger,
    probe,
    advance,
  }) => {
    await ledger.place('a');
    const first = await probe.one();
    await advance(LEASE_MS / 2);
    await probe.nothing();
    await advance(LEASE_MS / 2);
    const again = await probe.one({ holder: 'engine-b' });
    expect(again.at).toBeGreaterThanOrEqual(first.record.lease!.until);
    expect(again.fence).toBeGreaterThan(first.fence);
    expect(again.record).toMatchObject({
      version: 3,
      interrupted: [first.record.lease],
      lease: { holder: 'engine-b' },
    });
    expect(await ledger.put('a', asGranted(first), ledger.settled())).toEqual({ answer: 'lost' });
  });

  test('wakes a waiting receiver at the end of a lease', async ({ ledger, probe, advance }) => {
    await ledger.place('a');
    await probe.one();
    const pending = probe.receive();
    await advance(LEASE_MS);
    expect(await pending.answer).toHaveLength(1);
  });

  test('P2: a claimed record is received when the claim’s lease ends', async ({ ledger, probe, advance }) => {
    const { record } = await ledger.placeAndGrant('a');
    await probe.nothing();
    await advance(LEASE_MS);
    expect((await probe.one()).record.interrupted).toEqual([record.lease]);
  });

  test('L3: a renewed lease keeps its record from being received', async ({ ledger, probe, advance }) => {
    await ledger.place('a');
    const { fence } = await probe.one();
    await advance(LEASE_MS / 2);
    expect(await ledger.renew('a', fence, 3 * LEASE_MS)).toMatchObject({ answer: 'ok', version: 2 });
    await advance(2 * LEASE_MS);
    await probe.nothing();
    await advance(LEASE_MS);
    expect(idsOf(await probe.take())).toEqual(['a']);
  });

  test('receives never again what its holder has settled or removed', async ({ ledger, probe, advance }) => {
    await ledger.place('settled');
    await ledger.place('removed');
    const taken = await probe.take();
    for (const { fence, record } of taken) {
      const expectation = { version: record.version, fence };
      const { key } = record;
      const write =
        key.id === 'settled'
          ? ({ do: 'put', key, expect: expectation, content: ledger.settled() } as const)
          : ({ do: 'remove', key, expect: expectation } as const);
      expect(await ledger.commit([write])).toEqual({ answer: 'ok' });
    }
    expect(taken).toHaveLength(2);
    await advance(2 * LEASE_MS);
    await probe.nothing();
  });

  test('receives again at once what its holder gives back for now, uninterrupted', async ({ ledger, probe }) => {
    await ledger.place('a');
    const { fence } = await probe.one();
    const pending = probe.receive();
    expect(await ledger.put('a', { version: 2, fence })).toEqual({ answer: 'ok' });
    const [delivery] = await pending.answer;
    expect(delivery?.granted?.record).toMatchObject({ version: 4, interrupted: [] });
  });

  test('receives again later what its holder puts off: a retry, a hop', async ({ ledger, probe, advance }) => {
    await ledger.place('a');
    const { fence } = await probe.one();
    const wakeAt = (await ledger.ledger.now()) + 3 * LEASE_MS;
    expect(await ledger.put('a', { version: 2, fence }, ledger.content({ wakeAt }))).toEqual({ answer: 'ok' });
    await advance(2 * LEASE_MS);
    await probe.nothing();
    const pending = probe.receive();
    await advance(LEASE_MS);
    expect((await pending.answer)[0]?.granted?.at).toBeGreaterThanOrEqual(wakeAt);
  });

  test('holds on to a record whose holder keeps the lease in a commit', async ({ ledger, probe, advance }) => {
    await ledger.place('a');
    const { fence } = await probe.one();
    const expectation = { version: 2, fence };
    const content = ledger.content({ body: '{"progress":50}' });
    const put = { do: 'put', key: jobKey('a'), expect: expectation, content, keepLease: true } as const;
    expect(await ledger.commit([put])).toEqual({ answer: 'ok' });
    await probe.nothing();
    await advance(LEASE_MS);
    expect((await probe.one()).record).toMatchObject({ version: 4, interrupted: [{ holder: 'engine-a' }] });
  });

  test('leaves a held record with its holder when somebody else writes to it', async ({ ledger, probe }) => {
    await ledger.place('a');
    const { fence } = await probe.one({ leaseMs: 60_000 });
    expect(await ledger.put('a', { version: 2 }, ledger.content({ state: 'wished' }))).toEqual({ answer: 'ok' });
    await probe.nothing();
    expect(await ledger.renew('a', fence, 60_000)).toMatchObject({ answer: 'ok', version: 3 });
  });

  test('a grant that must be durable is granted like any other', async ({ ledger, probe, second }) => {
    await ledger.place('a', { durableGrant: true });
    await ledger.place('b');
    const taken = await probe.take();
    const ids = [...idsOf(taken)];
    if (ids.length < 2) ids.push(...idsOf(await probe.take()));
    expect(ids.toSorted()).toEqual(['a', 'b']);
    const reader = second === undefined ? ledger : ledger.through((await second()).ledger);
    expect(await reader.read('a')).toMatchObject({ durableGrant: true, lease: { holder: 'engine-a' } });
    expect(await reader.claim('a')).toMatchObject({ answer: 'busy' });
  });
}
