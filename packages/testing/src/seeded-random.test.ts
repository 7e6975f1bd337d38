import { describe, expect, it } from 'vitest';
import { seededIds } from './seeded-ids.js';
import { seededRandom } from './seeded-random.js';

const draw = (seed: number, count: number) => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

describe('seededRandom', () => {
  it('gives the same numbers for the same seed, and others for the next', () => {
    expect(draw(42, 5)).toEqual(draw(42, 5));
    expect(draw(42, 5)).not.toEqual(draw(43, 5));
  });

  it('spreads evenly over [0, 1), also from near seeds', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let seed = 0; seed < 100; seed += 1) for (const value of draw(seed, 100)) tenths[Math.floor(value * 10)]! += 1;
    for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(150);
    const firsts = Array.from({ length: 1000 }, (_, seed) => draw(seed, 1)[0]!);
    expect(Math.abs(firsts.filter((value) => value < 0.5).length - 500)).toBeLessThan(60);
  });
});

describe('seededIds', () => {
  it('counts, so that ids grow and are the same in every run', () => {
    const ids = seededIds('a-');
    expect([ids.job(), ids.job(), ids.nonce()]).toEqual(['a-job-000001', 'a-job-000002', 'a-nonce-1']);
  });
});
