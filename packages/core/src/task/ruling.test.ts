import { expect, test } from 'vitest';
import { giveUp, retryAfter, Ruling, snooze } from './ruling.js';

test.each([
  [retryAfter('5m', 'busy'), { verdict: 'retry', afterMs: 300_000, reason: 'busy' }],
  [retryAfter({ hours: 1 }), { verdict: 'retry', afterMs: 3_600_000, reason: undefined }],
  [snooze('0s'), { verdict: 'snooze', afterMs: 0, reason: undefined }],
  [snooze('1d', 'weekend'), { verdict: 'snooze', afterMs: 86_400_000, reason: 'weekend' }],
  [giveUp('closed'), { verdict: 'dead', afterMs: 0, reason: 'closed' }],
])('%o', (ruling, expected) => {
  expect(ruling).toBeInstanceOf(Ruling);
  expect(ruling).toMatchObject(expected);
});

test.each([
  ['retryAfter', () => retryAfter('soon' as never)],
  ['snooze', () => snooze(5 as never)],
])('%s refuses what is no duration, by its own name', (name, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'E_DURATION', message: expect.stringContaining(name) }));
});
