import { describe, expect, it } from 'vitest';
import { seededRandom } from './seeded-random.js';
import { SortedSet } from './sorted-set.js';

describe('SortedSet', () => {
  it('holds the same items as a sorted array, through 20,000 random steps', () => {
    const random = seededRandom(1);
    const set = new SortedSet<number>((a, b) => a - b);
    const model = new Set<number>();
    for (let step = 0; step < 20_000; step += 1) {
      const item = Math.floor(random.next() * 3000);
      if (random.next() < (step < 12_000 ? 0.7 : 0.2)) {
        set.add(item);
        model.add(item);
      } else {
        expect(set.delete(item)).toBe(model.delete(item));
      }
      if (step % 1000 === 0) {
        const sorted = [...model].toSorted((a, b) => a - b);
        expect([...set]).toEqual(sorted);
        expect([...set.from((other) => other < item)]).toEqual(sorted.filter((other) => other >= item));
        expect([set.size, set.first]).toEqual([sorted.length, sorted[0]]);
      }
    }
  });

  it('can be emptied and filled again', () => {
    const set = new SortedSet<number>((a, b) => a - b);
    for (let item = 0; item < 2000; item += 1) set.add(item);
    for (let item = 0; item < 2000; item += 1) set.delete(item);
    expect([set.size, set.first, [...set]]).toEqual([0, undefined, []]);
    set.add(7);
    expect([...set]).toEqual([7]);
  });
});
