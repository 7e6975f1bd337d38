import { expect, it } from 'vitest';
import { Horizon } from './horizon.js';

const HOUR = 3_600_000;

it('is what the options say, with room for clocks that differ', () => {
  const horizon = new Horizon(20 * HOUR);
  expect(horizon.ms).toBe(20 * HOUR);
  expect([horizon.allows(40 * HOUR), horizon.allows(40 * HOUR + 1)]).toEqual([true, false]);
  expect([new Horizon(1_000).allows(51_000), new Horizon(1_000).allows(51_001)]).toEqual([true, false]);
});

it('H1, H2: shrinks below what the broker names, and refuses nothing for it', () => {
  const horizon = new Horizon(20 * HOUR);
  horizon.learn(10 * HOUR);
  expect(horizon.ms).toBeLessThan(10 * HOUR);
  expect(horizon.ms).toBeGreaterThan(9 * HOUR);
  expect(horizon.allows(20 * HOUR)).toBe(true);
  horizon.learn(15 * HOUR);
  expect(horizon.ms).toBeLessThan(10 * HOUR);
});

it('shrinks also when the broker names no limit, or one that it does not keep', () => {
  const horizon = new Horizon(20 * HOUR);
  horizon.learn(undefined);
  expect(horizon.ms).toBe(10 * HOUR);
  horizon.learn(20 * HOUR);
  expect(horizon.ms).toBe(9 * HOUR);
});

it('never shrinks to nothing', () => {
  const horizon = new Horizon(1_000);
  for (let i = 0; i < 5; i += 1) horizon.learn(1_000);
  expect(horizon.ms).toBeGreaterThan(0);
});
