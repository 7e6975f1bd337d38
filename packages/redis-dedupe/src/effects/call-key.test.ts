import { expect, test } from 'vitest';
import { callKey } from './call-key.js';

const job = (idempotencyKey: string): { idempotencyKey: string } => ({ idempotencyKey });

test('K1: the same for every attempt, different for every other job and call', () => {
  expect(callKey(job('a'), 'charge')).toBe(callKey(job('a'), 'charge'));
  const keys = [
    callKey(job('a'), 'charge'),
    callKey(job('a'), 'refund'),
    callKey(job('a/charge'), ''),
    callKey(job('a'), 'b/c'),
    callKey(job('a/b'), 'c'),
    callKey(job('a","b'), 'c'),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test('K1: keys outlive releases: a repeat after an upgrade is still a repeat', () => {
  expect(callKey(job('shop/order-1'), 'charge')).toBe('TsUQ4N5Mv7gr8lT971OimnaeCURSF6HFeLFGyi2moGM');
});

test('K2: 43 plain characters, whatever the id is', () => {
  for (const id of ['a', 'Zoë Müller <zoe@example.com>', '订单'.repeat(128)]) {
    expect(callKey(job(id), 'charge')).toMatch(/^[\w-]{43}$/);
  }
});
