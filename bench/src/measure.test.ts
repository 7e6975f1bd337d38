import { expect, test } from 'vitest';
import { median } from './measure.js';

test('the median is the middle value, or halfway between the two middle ones', () => {
  expect(median([30, 10, 20])).toBe(20);
  expect(median([40, 10, 20, 30])).toBe(25);
  expect(median([7])).toBe(7);
});
