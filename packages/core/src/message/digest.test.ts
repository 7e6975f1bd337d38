import { expect, test } from 'vitest';
import { digestOf } from './digest.js';

test('tells texts apart, in six hex digits', () => {
  const texts = Array.from({ length: 500 }, (_, n) => JSON.stringify({ n }));
  const digests = texts.map(digestOf);
  expect(new Set(digests).size).toBe(500);
  expect(digests.every((digest) => /^[0-9a-f]{6}$/.test(digest))).toBe(true);
  expect(texts.map(digestOf)).toEqual(digests);
});
