import type { RecordContent } from '@carillon/core/spi';
import { expect, test } from 'vitest';
import { Packer } from './packer.js';
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
const packed = (...[key, content, nonce]: readonly [typeof KEY, RecordContent, string]): Buffer => {
  const packer = new Packer();
  packRecord(packer, key, content, nonce);
  return packer.take();
};
const UNTOUCHED = { key: KEY, version: 1, fence: 0, lease: undefined, interrupted: [] };

test('P1: a packed record reads back as it was, wherever it stands', () => {
  const bytes = packed(KEY, CONTENT, 'nonce');
  expect(unpackRecord(KEY, bytes)).toEqual({ ...CONTENT, ...UNTOUCHED });
  expect(unpackRecord(KEY, Buffer.concat([Buffer.from('xyz'), bytes]), 3)).toEqual({ ...CONTENT, ...UNTOUCHED });
  const plain = { ...CONTENT, wakeAt: 3, expiresAt: undefined, durableGrant: false, outbox: [], body: '' };
  expect(unpackRecord(KEY, packed(KEY, plain, ''))).toEqual({ ...plain, ...UNTOUCHED });
});

test('P1: a record of a later format is refused by name', () => {
  const bytes = packed(KEY, CONTENT, 'nonce');
  bytes[0] = 2;
  expect(() => unpackRecord(KEY, bytes)).toThrow('E_STORE_VERSION');
});

test('a word that is too long is refused', () => {
  expect(() => packed(KEY, { ...CONTENT, state: 'x'.repeat(70_000) }, '')).toThrow(TypeError);
});
