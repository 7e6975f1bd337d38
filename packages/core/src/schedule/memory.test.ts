import { expect, test } from 'vitest';
import { entriesOf, missed, noteMisses, noteStarts } from './memory.js';
import { KEPT, type Schedule } from './schedule.js';

const empty = { body: { counts: { started: 0, missed: {} } } } as unknown as Schedule;

test('what a schedule remembers reads in one form, whatever it is written in', () => {
  const started = noteStarts(
    empty,
    [
      { slot: 1_000, origin: 'schedule' },
      { slot: 2_000, origin: 'catch-up' },
      { slot: 2_500, origin: 'trigger', request: 'r' },
    ],
    3_000,
  );
  expect(entriesOf(noteMisses(started, [missed(4_000, 'overlap')], 4_100))).toEqual([
    { slot: 1_000, at: 3_000, origin: 'schedule' },
    { slot: 2_000, at: 3_000, origin: 'catch-up' },
    { slot: 2_500, at: 3_000, origin: 'trigger', request: 'r' },
    { missed: 'overlap', slot: 4_000, at: 4_100 },
  ]);
});

test('it counts all, and remembers the latest', () => {
  let schedule = empty;
  for (let slot = 0; slot < 30; slot += 1) schedule = noteStarts(schedule, [{ slot, origin: 'schedule' }], slot);
  expect(schedule.body.counts.started).toBe(30);
  expect(entriesOf(schedule).map(({ slot }) => slot)).toEqual(Array.from({ length: KEPT.recent }, (_, i) => i + 10));
});
