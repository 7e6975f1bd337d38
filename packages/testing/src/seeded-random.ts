// Seeded random: the same numbers for the same seed, on every machine. The generator is sfc32 (Chris Doty-Humphrey).

import type { Random } from '@carillon/core/spi';

/** Numbers in [0, 1) that only the seed decides. */
export function seededRandom(seed: number): Random {
  let a = seed >>> 0;
  let b = Math.floor(seed / 2 ** 32) >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;

  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };

  for (let warmUp = 0; warmUp < 12; warmUp += 1) next(); // the first outputs of near seeds are near
  return { next };
}
