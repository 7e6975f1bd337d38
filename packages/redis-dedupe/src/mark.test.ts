import type { RecordContent } from '@carillon/core/spi';
import { expect, test } from 'vitest';
import { markOf, readMark } from './mark.js';

const KEY = { kind: 'job', id: 'a', partition: '0a' };
const content = (over: Partial<RecordContent>): RecordContent => ({
  generation: 1,
  queue: 'q',
  task: 't',
  state: 'done',
  dueAt: 1,
  wakeAt: undefined,
  expiresAt: 2,
  durableGrant: false,
  brief: 'abcdef',
  body: '{}',
  outbox: [],
  ...over,
});

test('K1: a mark tells state and digest, and with its version is still a whole number that Lua and Redis hold exactly', () => {
  for (const state of ['done', 'skipped', 'cancelled']) {
    for (const brief of ['000001', 'abcdef', 'ffffff']) {
      const mark = markOf(content({ state, brief }), 'nonce') + 255 * 8;
      expect(Number.isSafeInteger(mark)).toBe(true);
      expect(readMark(KEY, mark)).toMatchObject({ key: KEY, state, brief, version: 255, wakeAt: undefined });
    }
  }
});

test('K1: another nonce, digest or state is another mark', () => {
  const marks = [
    markOf(content({}), 'one'),
    markOf(content({}), 'two'),
    markOf(content({ brief: '000002' }), 'one'),
    markOf(content({ state: 'skipped' }), 'one'),
  ];
  expect(new Set(marks).size).toBe(4);
  expect(markOf(content({}), 'one')).toBe(marks[0]);
});

test('a record without digits, or in a state that needs a look, is kept whole', () => {
  expect(markOf(content({ brief: undefined }), 'n')).toBe(0);
  expect(markOf(content({ brief: 'no hex' }), 'n')).toBe(0);
  expect(markOf(content({ state: 'dead' }), 'n')).toBe(0);
});
