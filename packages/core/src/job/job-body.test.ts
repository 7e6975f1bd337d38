import { expect, test } from 'vitest';
import { payloadTextIn, readBody, writeBody } from './job-body.js';
import type { JobBody, PastAttempt } from './job.js';

const attempt = (number: number, more: Partial<PastAttempt> = {}): PastAttempt => {
  return { number, worker: 'w', startedAt: 1_000 * number, endedAt: 1_000 * number + 5, outcome: 'failed', ...more };
};

test('Y1: attempts are written short, and read back whole', () => {
  const error = { name: 'Error', message: 'no' };
  const body: JobBody = { payload: 1, starts: 2, attempts: [attempt(1, { error }), attempt(2, { outcome: 'done' })] };
  const text = writeBody(body);
  expect(JSON.parse(text)).toEqual({
    payload: 1,
    attempts: [
      ['w', 1_000, 5, 'failed', error],
      ['w', 2_000, 5, 'done'],
    ],
  });
  expect(readBody(text)).toEqual(body);
});

test('Y1: where earlier attempts have been dropped, the count is kept and the numbers go on', () => {
  const body: JobBody = { payload: 1, starts: 30, attempts: [attempt(29), attempt(30)] };
  expect(readBody(writeBody(body))).toEqual(body);
});

test('a payload that is known as text is not written out again', () => {
  expect(writeBody({ payload: 'ignored', key: 'k' }, '[1,2]')).toBe('{"payload":[1,2],"key":"k"}');
  expect(writeBody({ payload: 'ignored' }, '[1,2]')).toBe('{"payload":[1,2]}');
});

test('what is no body is none', () => {
  for (const text of ['', '5', '{}', 'null', '{"payload":1', '[]']) expect(readBody(text)).toBeUndefined();
});

test('a payload that stands alone in a body is known as text', () => {
  const payload = { text: 'ü"}{', list: [1, null], nothing: {} };
  const textIn = (text: string): string | undefined => payloadTextIn(text, readBody(text)!);
  expect(textIn(writeBody({ payload }))).toBe(JSON.stringify(payload));
  expect(textIn(writeBody({ payload, key: 'k' }))).toBeUndefined();
  expect([textIn('{ "payload":1}'), textIn('{"payload":1} ')]).toEqual([undefined, undefined]);
});
