// Limits: what a transport says it can do, it does; what is beyond, it refuses one message at a time.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedTransport } from './transport-probe.js';

const LARGEST_TRIED = 16 * 1024 * 1024;

/** Horizon, size and number (P3). */
export function limits(test: Test<ProbedTransport>): void {
  test('states limits that make sense', async ({ transport }) => {
    const { horizonMs, precisionMs, maxBytes, leaseMs } = transport.limits;
    expect(horizonMs).toBeGreaterThan(0);
    expect(precisionMs).toBeGreaterThanOrEqual(0);
    expect(precisionMs).toBeLessThan(horizonMs);
    expect(maxBytes).toBeGreaterThanOrEqual(1024);
    expect(leaseMs[0]).toBeGreaterThan(0);
    expect(leaseMs[1]).toBeGreaterThanOrEqual(leaseMs[0]);
  });

  test('refuses a message far beyond its horizon, says why, and never delivers it', async ({
    probe,
    transport,
    now,
  }, skip) => {
    const { horizonMs } = transport.limits;
    if (horizonMs === Infinity) return skip('This transport has no horizon.');
    const outcomes = await transport.send([
      probe.message('near'),
      probe.message('beyond', { deliverAt: now() + 2 * horizonMs + 60_000 }),
      probe.message('within', { deliverAt: now() + horizonMs - 1000 }),
    ]);
    expect(outcomes).toMatchObject([{ outcome: 'sent' }, { outcome: 'refused' }, { outcome: 'sent' }]);
    expect(outcomes[1]).toMatchObject({ reason: expect.stringMatching(/\w/) });
    const arrivals = await probe.collect(2, probe.leaseMs / 2 + probe.toleranceMs);
    expect(arrivals.map(({ text }) => text)).toEqual(['near']);
  });

  test('takes a message far ahead, if it has no horizon', async ({ probe, transport, now }, skip) => {
    if (transport.limits.horizonMs !== Infinity) return skip('This transport has a horizon.');
    await probe.send('far', { deliverAt: now() + 10 * 365 * 86_400_000 });
    await probe.none(probe.leaseMs);
  });

  test('takes the longest body that it allows, refuses a longer one, and says why', async ({
    probe,
    transport,
  }, skip) => {
    const { maxBytes } = transport.limits;
    if (maxBytes > LARGEST_TRIED) return skip(`This transport takes more than ${LARGEST_TRIED} bytes.`);
    const longest = new Uint8Array(maxBytes).fill(97);
    const outcomes = await transport.send([
      probe.message('', { body: new Uint8Array(maxBytes + 1) }),
      probe.message('', { body: longest }),
    ]);
    expect(outcomes).toMatchObject([{ outcome: 'refused', reason: expect.stringMatching(/\w/) }, { outcome: 'sent' }]);
    const arrivals = await probe.collect(2, probe.leaseMs / 2 + probe.toleranceMs);
    expect(arrivals.map(({ delivery }) => Buffer.compare(delivery.body, longest))).toEqual([0]);
  });

  test('P3: never delivers more than was asked for', async ({ probe, transport }) => {
    const total = 25;
    await transport.send(Array.from({ length: total }, (_, index) => probe.message(`${index}`)));
    const seen: string[] = [];
    const leaseMs = Math.min(20 * probe.leaseMs, transport.limits.leaseMs[1]);
    for (const max of [1, 3, 7, 10, 100]) {
      const arrivals = await probe.collect(1, probe.leaseMs + probe.toleranceMs, { max, leaseMs });
      expect(arrivals.length).toBeLessThanOrEqual(max);
      seen.push(...arrivals.map(({ text }) => text));
    }
    seen.push(...(await probe.collect(total - seen.length, probe.leaseMs, { leaseMs })).map(({ text }) => text));
    expect(seen).toHaveLength(total);
    expect(new Set(seen).size).toBe(total);
  });

  test('refuses a lease outside of its limits: E_OPTIONS', async ({ probe, transport }) => {
    const [min] = transport.limits.leaseMs;
    const receive = probe.receive({ leaseMs: min / 2 });
    await expect(receive.abort()).rejects.toThrow('[E_OPTIONS]');
    await probe.send('kept');
    const [arrival] = await probe.collect(1, probe.leaseMs / 2 + probe.toleranceMs);
    await expect(arrival!.delivery.extend(min / 2)).rejects.toThrow('[E_OPTIONS]');
  });
}
