import type { RecordContent } from '@carillon/core/spi';
import { expect, test } from 'vitest';
import { packRecord, unpackRecord } from './record-codec.js';

const KEY = { kind: 'job', id: 'ä/1', partition: '0a' };
const CONTENT: RecordContent = {
  generation: 2 ** 53 - 3,
  queue: 'q\0ü',
  task: 't',
  state: 's',
  dueAt: 1_790_000_000_123.5,
  wakeAt: undefined,
  expiresAt: 5,
  durableGrant: true,
  body: '{"payload":"東京"}',
  outbox: [{ message: { id: 'm', queue: 'q', body: new Uint8Array([0, 255]), deliverAt: 7 }, wakeAt: 8 }],
};
const UNTOUCHED = { key: KEY, version: 1, fence: 0, lease: undefined, interrupted: [] };

test('P1: a packed record reads back as it was, wherever it stands', () => {
  const packed = packRecord(KEY, CONTENT, 'nonce');
  expect(unpackRecord(KEY, packed)).toEqual({ ...CONTENT, ...UNTOUCHED });
  expect(unpackRecord(KEY, Buffer.concat([Buffer.from('xyz'), packed]), 3)).toEqual({ ...CONTENT, ...UNTOUCHED });
  const plain = { ...CONTENT, wakeAt: 3, expiresAt: undefined, durableGrant: false, outbox: [], body: '' };
  expect(unpackRecord(KEY, packRecord(KEY, plain, ''))).toEqual({ ...plain, ...UNTOUCHED });
});

test('P1: a record of a later format is refused by name', () => {
  const packed = packRecord(KEY, CONTENT, 'nonce');
  packed[0] = 2;
  expect(() => unpackRecord(KEY, packed)).toThrow('E_STORE_VERSION');
});

test('a word that is too long is refused', () => {
  expect(() => packRecord(KEY, { ...CONTENT, state: 'x'.repeat(70_000) }, '')).toThrow(TypeError);
});
