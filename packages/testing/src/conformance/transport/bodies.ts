// Bodies: bytes arrive as they were sent.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedTransport } from './transport-probe.js';

const BODIES: readonly [name: string, body: Uint8Array][] = [
  ['every byte', Uint8Array.from({ length: 256 }, (_, index) => index)],
  ['no byte at all', new Uint8Array()],
  ['text of every plane', Buffer.from('Ærø – 東京 – 👩‍👩‍👧 – \u0000 – \u{10FFFF}')],
  ['what is no valid text', Uint8Array.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80])],
  ['a part of a larger buffer', Uint8Array.from({ length: 64 }, (_, index) => index).subarray(16, 32)],
];

/** Bytes, unchanged. */
export function bodies(test: Test<ProbedTransport>): void {
  for (const [name, body] of BODIES) {
    test(`carries ${name}`, async ({ probe }) => {
      await probe.send('', { body });
      const { delivery } = await probe.one();
      expect(delivery.body).toBeInstanceOf(Uint8Array);
      expect([...delivery.body]).toEqual([...body]);
    });
  }

  test('carries a body of 256 KB, or the longest there is', async ({ probe, transport }) => {
    const length = Math.min(256 * 1024, transport.limits.maxBytes);
    const body = Uint8Array.from({ length }, (_, index) => (index * 31) % 256);
    await probe.send('', { body });
    expect(Buffer.compare((await probe.one()).delivery.body, body)).toBe(0);
  });

  test('carries what the body was when it was sent', async ({ probe, now, advance }) => {
    const body = Uint8Array.from([1, 2, 3]);
    await probe.send('', { body, deliverAt: now() + probe.delayMs });
    body.fill(9);
    await advance(probe.delayMs);
    expect([...(await probe.one()).delivery.body]).toEqual([1, 2, 3]);
  });
}
