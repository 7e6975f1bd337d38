// Receive: the long poll, who it serves, and how it ends.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedTransport } from './transport-probe.js';

/** The long poll. */
export function receive(test: Test<ProbedTransport>): void {
  test('wakes a waiting receiver for a message that is sent meanwhile', async ({ probe, advance }) => {
    const pending = probe.receive();
    await advance(100);
    await probe.send('new');
    await advance(probe.toleranceMs);
    expect((await pending.answer).map(({ body }) => Buffer.from(body).toString())).toEqual(['new']);
  });

  test('wakes a receiver of another handle', async ({ probe, second, advance }, skip) => {
    if (second === undefined) return skip('The harness offers no second handle.');
    const pending = probe.receive();
    await advance(100);
    await probe.through(await second()).send('new');
    await advance(probe.toleranceMs);
    expect(await pending.answer).toHaveLength(1);
  });

  test('ends the wait on its signal, with nothing', async ({ probe, advance }) => {
    const pending = probe.receive();
    await advance(100);
    expect(await pending.abort()).toEqual([]);
  });

  test('does not wait if the signal has ended already', async ({ probe, transport }) => {
    const signal = AbortSignal.abort();
    const request = { queue: 'default', max: 1, leaseMs: probe.leaseMs, holder: 'engine-a', signal };
    expect(await transport.receive(request)).toEqual([]);
  });

  test('P1: loses nothing when a wait ends while messages come', async ({ probe }) => {
    const seen: string[] = [];
    for (let round = 0; round < 10; round += 1) {
      const pending = probe.receive();
      const sending = probe.send(`${round}`);
      const deliveries = await pending.abort();
      await sending;
      for (const delivery of deliveries) {
        seen.push(Buffer.from(delivery.body).toString());
        await delivery.ack();
      }
    }
    const rest = await probe.collect(10 - seen.length, 2 * probe.leaseMs + probe.toleranceMs);
    expect([...new Set([...seen, ...rest.map(({ text }) => text)])]).toHaveLength(10);
  });

  test('ends the wait when it closes, and is closed and opened twice without harm', async ({
    probe,
    transport,
    advance,
  }) => {
    await transport.open();
    const pending = probe.receive();
    await advance(100);
    await transport.close();
    expect(await pending.answer).toEqual([]);
    await transport.close();
  });

  test('leaves the receivers of another handle alone when it closes', async ({
    probe,
    transport,
    second,
    advance,
  }, skip) => {
    if (second === undefined) return skip('The harness offers no second handle.');
    const other = probe.through(await second());
    const pending = other.receive();
    await advance(100);
    await transport.close();
    await other.send('new');
    await advance(probe.toleranceMs);
    expect(await pending.answer).toHaveLength(1);
  });

  test('P2: shares messages among receivers, each to one of them', async ({ probe, transport, second }) => {
    const total = 40;
    const probes = [probe, second === undefined ? probe : probe.through(await second())];
    await transport.send(Array.from({ length: total }, (_, index) => probe.message(`${index}`)));
    const leaseMs = Math.min(20 * probe.leaseMs, transport.limits.leaseMs[1]);
    const shares = await Promise.all(
      probes.map((receiver) => receiver.collect(total, probe.leaseMs + probe.toleranceMs, { max: 1, leaseMs })),
    );
    const texts = shares.flat().map(({ text }) => text);
    expect(texts).toHaveLength(total);
    expect(new Set(texts).size).toBe(total);
    for (const share of shares) expect(share.length).toBeGreaterThan(0);
  });

  test('keeps queues apart', async ({ probe }) => {
    await probe.send('mine', { queue: 'mine' });
    await probe.none(probe.leaseMs, { queue: 'other' });
    await probe.none(probe.leaseMs, { queue: 'min' });
    const { delivery, text } = await probe.one(probe.toleranceMs, { queue: 'mine' });
    expect([delivery.queue, text]).toEqual(['mine', 'mine']);
  });

  test('waits in one queue while another has work', async ({ probe, advance }) => {
    const waiting = probe.receive({ queue: 'quiet' });
    await probe.send('a', { queue: 'busy' });
    expect(await probe.one(probe.toleranceMs, { queue: 'busy' })).toMatchObject({ text: 'a' });
    await advance(probe.leaseMs / 2);
    await probe.send('b', { queue: 'quiet' });
    await advance(probe.toleranceMs);
    expect(await waiting.answer).toMatchObject([{ queue: 'quiet' }]);
  });
}
