import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MUTANTS } from './catalog.js';
import { planted } from './mutant.js';

const dist = new URL('../../../packages/core/dist/', import.meta.url);

test.each(MUTANTS)('$name: its text occurs once in $file (U1)', (mutant) => {
  const text = readFileSync(new URL(mutant.file, dist), 'utf8');
  expect(planted(mutant, text)).not.toBe(text);
});

test('a mutant whose text is gone, or is there twice, is stale (U1)', () => {
  const mutant = { ...MUTANTS[0]!, before: 'ack();', after: '' };
  expect(() => planted(mutant, 'release();')).toThrow('0 times');
  expect(() => planted(mutant, 'ack(); ack();')).toThrow('2 times');
});

test('there are at least 24 mutants, each with a name of its own', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  expect(MUTANTS.length).toBeGreaterThanOrEqual(24);
});
