import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CarillonError } from './errors.js';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const CODE = /\bE_[A-Z_]+\b/g;
const union = /export type ErrorCode =([^;]*);/.exec(read('./errors.ts'))?.[1] ?? '';
const codes = [...new Set(union.match(CODE))];
const docs = read('../../../docs/errors.md');

describe('docs/errors.md', () => {
  test('has one entry per code, in the order of errors.ts', () => {
    expect(codes.length).toBeGreaterThan(10);
    expect([...docs.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual(codes);
  });

  test('names no code that does not exist', () => {
    expect((docs.match(CODE) ?? []).filter((code) => !codes.includes(code))).toEqual([]);
  });

  test.each(codes)('%s: what happened, why, what to do', (code) => {
    const entry = docs.split(`\n## ${code}\n`)[1]?.split('\n## ')[0] ?? '';
    for (const part of ['What happened', 'Why', 'What to do']) {
      expect(entry).toMatch(new RegExp(`^\\*\\*${part}\\.\\*\\* \\S.{20}`, 'm'));
    }
  });
});

test('each code is thrown somewhere', () => {
  const packages = new URL('../../', import.meta.url);
  const sources = readdirSync(packages, { recursive: true, encoding: 'utf8' })
    .filter((path) => /^[\w-]+\/src\/.*\.ts$/.test(path) && !/(\.test|\.test-d|^core\/src\/errors)\.ts$/.test(path))
    .map((path) => readFileSync(new URL(path, packages), 'utf8'));
  expect(codes.filter((code) => !sources.some((source) => source.includes(`'${code}'`)))).toEqual([]);
});

describe('CarillonError', () => {
  const cause = new Error('ENOSPC');
  const error = new CarillonError('E_UNCLEAR', 'The ledger did not answer.', { next: 'Call again.', cause, id: 'a' });

  test('says what happened, what to do, and its code', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toBe('The ledger did not answer. Call again. [E_UNCLEAR]');
    expect(error).toMatchObject({ name: 'CarillonError', code: 'E_UNCLEAR', next: 'Call again.', cause, id: 'a' });
    expect(new CarillonError('E_DUE', 'No.', { next: 'Yes.' })).not.toHaveProperty('cause');
  });

  test('is known also when two copies of the package are installed', () => {
    const foreign = Object.defineProperty(new Error('x'), Symbol.for('@carillon/error'), { value: true });
    expect(CarillonError.is(error)).toBe(true);
    expect(CarillonError.is(foreign)).toBe(true);
    for (const other of [cause, null, undefined, 'E_DUE', { code: 'E_DUE' }])
      expect(CarillonError.is(other)).toBe(false);
  });

  test('the mark does not show', () => {
    expect(Object.keys(error).toSorted()).toEqual(['code', 'id', 'name', 'next']);
  });
});
