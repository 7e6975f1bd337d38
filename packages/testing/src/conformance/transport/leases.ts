// Leases: how long a delivery is held, and what happens to what is not acknowledged.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedTransport } from './transport-probe.js';

/** Holding and redelivery (P2 of ports/transport.ts). */
export function leases(test: Test<ProbedTransport>): void {
  test('P2: delivers again what was not acknowledged within its lease, and counts', async ({ probe }) => {
    await probe.send('a');
    const first = await probe.one();
    expect(first.delivery.attempt).toBe(1);
    const second = await probe.one(probe.leaseMs + probe.toleranceMs);
    expect(second).toMatchObject({ text: 'a', delivery: { attempt: 2 } });
    expect(second.at - first.at).toBeGreaterThanOrEqual(probe.leaseMs - probe.toleranceMs);
    expect(await second.delivery.ack()).toBe('ok');
    await probe.none(2 * probe.leaseMs + probe.toleranceMs);
  });

  test('P2: gives a held message to nobody else', async ({ probe, second }) => {
    await probe.send('a');
    const held = await probe.one();
    const other = second === undefined ? probe : probe.through(await second());
    await other.none(probe.leaseMs - probe.toleranceMs - 100);
    expect(await held.delivery.ack()).toBe('ok');
  });

  test('P2: an acknowledgement after the end of the lease is lost, and the message comes again', async ({
    probe,
    advance,
  }) => {
    await probe.send('a');
    const late = await probe.one();
    await advance(probe.leaseMs + probe.toleranceMs);
    expect(await late.delivery.ack()).toBe('lost');
    expect(await late.delivery.extend(probe.leaseMs)).toBe('lost');
    expect(await probe.one()).toMatchObject({ text: 'a', delivery: { attempt: 2 } });
  });

  test('P2: an old delivery has no say over a newer one', async ({ probe, advance }) => {
    await probe.send('a');
    const old = await probe.one();
    await advance(probe.leaseMs + probe.toleranceMs);
    const fresh = await probe.one();
    expect(await old.delivery.ack()).toBe('lost');
    expect(await old.delivery.release(0)).toBe('lost');
    expect(await old.delivery.extend(10 * probe.leaseMs)).toBe('lost');
    expect(await fresh.delivery.ack()).toBe('ok');
    await probe.none(2 * probe.leaseMs + probe.toleranceMs);
  });

  test('holds a delivery for longer when it is extended', async ({ probe, advance }) => {
    await probe.send('a');
    const { delivery } = await probe.one();
    await advance(probe.leaseMs / 2);
    expect(await delivery.extend(4 * probe.leaseMs)).toBe('ok');
    await probe.none(2 * probe.leaseMs);
    expect(await delivery.ack()).toBe('ok');
    await probe.none(3 * probe.leaseMs + probe.toleranceMs);
  });

  test('P2: delivers again when an extended lease ends', async ({ probe, advance }) => {
    await probe.send('a');
    const { delivery } = await probe.one();
    await advance(probe.leaseMs / 2);
    expect(await delivery.extend(2 * probe.leaseMs)).toBe('ok');
    expect(await probe.one(2 * probe.leaseMs + probe.toleranceMs)).toMatchObject({
      text: 'a',
      delivery: { attempt: 2 },
    });
  });

  test('delivers again at once what is given back for now', async ({ probe }) => {
    await probe.send('a');
    const { delivery } = await probe.one();
    expect(await delivery.release(0)).toBe('ok');
    expect(await probe.one()).toMatchObject({ text: 'a', delivery: { attempt: 2 } });
  });

  test('delivers again later what is given back for later, and not before', async ({ probe }) => {
    const afterMs = 2 * probe.leaseMs;
    await probe.send('a');
    const first = await probe.one();
    expect(await first.delivery.release(afterMs)).toBe('ok');
    const second = await probe.one(afterMs + probe.toleranceMs);
    expect(second).toMatchObject({ text: 'a', delivery: { attempt: 2 } });
    expect(second.at - first.at).toBeGreaterThanOrEqual(afterMs - probe.toleranceMs);
  });

  test('a delivery that was given back has no say any more', async ({ probe }) => {
    await probe.send('a');
    const { delivery } = await probe.one();
    await delivery.release(probe.leaseMs);
    expect(await delivery.ack()).toBe('lost');
    expect(await delivery.extend(probe.leaseMs)).toBe('lost');
    expect(await probe.one(probe.leaseMs + probe.toleranceMs)).toMatchObject({ text: 'a' });
  });

  test('P2: lets go of what it held when it closes', async ({ probe, transport, second }, skip) => {
    if (second === undefined) return skip('The harness offers no second handle.');
    const other = probe.through(await second());
    await probe.send('a');
    await probe.send('b');
    expect(await probe.one()).toBeDefined();
    await transport.close();
    const arrivals = await other.collect(2, probe.leaseMs + probe.toleranceMs, { leaseMs: 10 * probe.leaseMs });
    expect(arrivals.map(({ text }) => text).toSorted()).toEqual(['a', 'b']);
  });

  test('P2: holds each message on its own', async ({ probe }) => {
    for (const text of ['a', 'b', 'c']) await probe.send(text);
    const arrivals = await probe.collect(3, probe.leaseMs / 2 + probe.toleranceMs);
    for (const { text, delivery } of arrivals) if (text !== 'b') expect(await delivery.ack()).toBe('ok');
    const again = await probe.collect(3, 1.5 * probe.leaseMs + probe.toleranceMs);
    expect(again.map(({ text }) => text)).toEqual(['b']);
  });
}
