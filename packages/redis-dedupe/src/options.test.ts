import { expect, test } from 'vitest';
import { readCursor, writeCursor } from './cursor.js';
import { type RedisLedgerOptions, resolveOptions } from './options.js';

const refused: readonly [options: RedisLedgerOptions, about: string][] = [
  [{ prefix: 'a{b}' }, 'prefix'],
  [{ prefix: 'x'.repeat(65) }, 'prefix'],
  [{ url: 'redis://a', cluster: ['redis://b'] }, 'cluster'],
  [{ timeoutMs: 0 }, 'timeoutMs'],
  [{ timeoutMs: Number.NaN }, 'timeoutMs'],
  [{ strict: { replicas: -1 } }, 'strict.replicas'],
  [{ strict: { replicas: 1 }, cluster: ['redis://b'] }, 'Cluster'],
  [{ packedMarks: -1 }, 'packedMarks'],
];
test.each(refused)('%j is refused', (options, about) => {
  expect(() => resolveOptions(options)).toThrow(about);
  expect(() => resolveOptions(options)).toThrow('E_OPTIONS');
});

test('what is left out is filled in', () => {
  const resolved = resolveOptions({});
  expect(resolved).toMatchObject({ prefix: 'carillon', timeoutMs: 5_000, strict: undefined, accept: [], spread: 0 });
  expect(resolveOptions({ strict: true }).strict).toEqual({ replicas: 0 });
  expect(resolveOptions({ strict: false }).strict).toBeUndefined();
  expect(resolveOptions({ packedMarks: 1_000_000 }).spread).toBe(44);
});

test('a cursor is read back, and any other text refused', () => {
  expect(readCursor(writeCursor([1, 'a']), [0, ''])).toEqual([1, 'a']);
  expect(readCursor(undefined, [0, ''])).toEqual([0, '']);
  for (const text of ['', 'x', '[]', '["a",1]', '[1,"a",2]', '{}'])
    expect(() => readCursor(text, [0, ''])).toThrow('E_OPTIONS');
});
