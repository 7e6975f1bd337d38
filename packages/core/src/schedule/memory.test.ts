import { expect, test } from 'vitest';
import { entriesOf, missed, noted } from './memory.js';
import { KEPT } from './schedule.js';

const nothing = { counts: { started: 0, missed: {} } };

test('what a schedule remembers reads in one form, whatever it is written in', () => {
  const started = noted(
    nothing,
    [
      { slot: 1_000, origin: 'schedule' },
      { slot: 2_000, origin: 'catch-up' },
      { slot: 2_500, origin: 'trigger', request: 'r' },
    ],
    [],
    3_000,
  );
  const misses = [missed(4_000, 'overlap'), missed(5_000, 'overlap')];
  expect(entriesOf(noted(started, [], misses, 5_100))).toEqual([
    { slot: 1_000, at: 3_000, origin: 'schedule' },
    { slot: 2_000, at: 3_000, origin: 'catch-up' },
    { slot: 2_500, at: 3_000, origin: 'trigger', request: 'r' },
    { missed: 'overlap', slot: 4_000, to: 5_000, count: 2, at: 5_100 },
  ]);
});

test.each([1, 7, 30])('it counts all, and remembers the latest, %i at a time', (together) => {
  let memory: Parameters<typeof noted>[0] = nothing;
  for (let slot = 0; slot < 210; slot += together) {
    const starts = Array.from(
      { length: together },
      (_, index) => ({ slot: slot + index, origin: 'schedule' }) as const,
    );
    memory = noted(memory, starts, [], slot);
  }
  expect(memory.counts.started).toBe(210);
  expect(entriesOf(memory).map(({ slot }) => slot)).toEqual(Array.from({ length: KEPT.recent }, (_, i) => i + 190));
});
