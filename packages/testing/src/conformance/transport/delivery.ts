// Delivery: what is sent arrives, at least once, and never early.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedTransport } from './transport-probe.js';

/** Arrival, once at least and never early (P1 of ports/transport.ts). */
export function delivery(test: Test<ProbedTransport>): void {
  test('P1: delivers a message whose time has come at once', async ({ probe, now }) => {
    for (const [text, deliverAt] of [
      ['now', now()],
      ['past', now() - 60_000],
      ['epoch', 0],
    ] as const) {
      await probe.send(text, { deliverAt });
      const { delivery, text: seen } = await probe.one();
      expect([seen, delivery.queue, delivery.attempt]).toEqual([text, 'default', 1]);
      expect(await delivery.ack()).toBe('ok');
    }
  });

  test('P1: delivers at its time, and not before it, less the precision', async ({ probe, transport, now }) => {
    const deliverAt = now() + probe.delayMs;
    await probe.send('later', { deliverAt });
    const { at, text } = await probe.one(probe.delayMs + probe.toleranceMs);
    expect(text).toBe('later');
    expect(at).toBeGreaterThanOrEqual(deliverAt - transport.limits.precisionMs);
    expect(at).toBeLessThanOrEqual(deliverAt + probe.toleranceMs);
  });

  test('P1: a receiver that comes late finds what has come due meanwhile', async ({ probe, now, advance }) => {
    await probe.send('later', { deliverAt: now() + probe.delayMs });
    await advance(probe.delayMs);
    expect(await probe.one()).toMatchObject({ text: 'later' });
  });

  test('P1: delivers each of many messages, none of them early', async ({ probe, transport, now }) => {
    const times = new Map(
      Array.from({ length: 60 }, (_, index) => [`${index}`, now() + ((index * 37) % 60) * (probe.delayMs / 20)]),
    );
    const messages = [...times].map(([text, deliverAt]) => probe.message(text, { deliverAt }));
    expect((await transport.send(messages)).map(({ outcome }) => outcome)).toEqual(messages.map(() => 'sent'));

    const leaseMs = Math.max(60_000, transport.limits.leaseMs[0]);
    const arrivals = await probe.collect(60, 4 * probe.delayMs + probe.toleranceMs, { leaseMs });
    expect(arrivals.map(({ text }) => text).toSorted()).toEqual([...times.keys()].toSorted());
    for (const { text, at } of arrivals) {
      expect(at, text).toBeGreaterThanOrEqual(times.get(text)! - transport.limits.precisionMs);
    }
    expect(await Promise.all(arrivals.map(({ delivery }) => delivery.ack()))).toEqual(arrivals.map(() => 'ok'));
  });

  test('P1: an earlier message overtakes a later one', async ({ probe, now }) => {
    await probe.send('later', { deliverAt: now() + 4 * probe.delayMs });
    const waiting = probe.collect(1, probe.delayMs + probe.toleranceMs, { max: 1 });
    await probe.send('sooner', { deliverAt: now() + probe.delayMs });
    expect(await waiting).toMatchObject([{ text: 'sooner' }]);
  });

  test('does not deliver again what was acknowledged', async ({ probe }) => {
    await probe.send('once');
    const { delivery } = await probe.one();
    expect(await delivery.ack()).toBe('ok');
    await probe.none(2 * probe.leaseMs + probe.toleranceMs);
  });

  test('delivers two messages of the same content both', async ({ probe }) => {
    await probe.send('twin');
    await probe.send('twin');
    expect(await probe.collect(2, probe.leaseMs / 2 + probe.toleranceMs)).toHaveLength(2);
  });

  test('takes an empty batch', async ({ transport }) => {
    expect(await transport.send([])).toEqual([]);
  });

  test('takes messages of several queues in one call', async ({ probe, transport }) => {
    const messages = ['one', 'two', 'one'].map((queue, index) => probe.message(`${queue}-${index}`, { queue }));
    expect(await transport.send(messages)).toHaveLength(3);
    const ones = await probe.collect(2, probe.leaseMs / 2 + probe.toleranceMs, { queue: 'one' });
    expect(ones.map(({ text, delivery }) => `${delivery.queue} ${text}`).toSorted()).toEqual([
      'one one-0',
      'one one-2',
    ]);
    expect(await probe.one(probe.toleranceMs, { queue: 'two' })).toMatchObject({ text: 'two-1' });
  });

  test('a recalled message may come or not, and harms nothing', async ({ probe, transport, now }, skip) => {
    if (!('recall' in transport)) return skip('This transport recalls nothing.');
    const deliverAt = now() + probe.delayMs;
    const outcomes = await transport.send([
      probe.message('recalled', { deliverAt }),
      probe.message('kept', { deliverAt }),
    ]);
    const receipt = outcomes[0]?.outcome === 'sent' ? outcomes[0].receipt : undefined;
    expect(receipt).toBeDefined();
    await transport.recall?.(receipt!);
    await transport.recall?.(receipt!);
    const arrivals = await probe.collect(2, probe.delayMs + probe.toleranceMs + 10);
    expect(arrivals.map(({ text }) => text)).toContain('kept');
  });
}
