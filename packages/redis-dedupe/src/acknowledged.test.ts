import type { Change, RecordContent } from '@carillon/core/spi';
import { expect, test } from 'vitest';
import { Acknowledged, isLost } from './acknowledged.js';
import { markOf } from './mark.js';
import { Packer } from './packer.js';
import { packRecord } from './record-codec.js';

const KEY = { kind: 'job', id: 'a', partition: '0a' };
const NOW = 1_000;
const OPEN: RecordContent = {
  generation: 5,
  queue: 'q',
  task: 't',
  state: 'scheduled',
  dueAt: 1,
  wakeAt: 1,
  expiresAt: undefined,
  durableGrant: false,
  body: '{}',
  outbox: [],
};
const DONE: RecordContent = { ...OPEN, state: 'done', wakeAt: undefined, expiresAt: NOW + 1 };
const MARKED: RecordContent = { ...DONE, brief: 'abcdef' };
const held = { version: 2, fence: 7 };

/** A change that writes `content` and makes it version 3, or 1 where nothing was. */
function change(content: RecordContent, expectation: 'holder' | 'absent'): Change {
  const expect = expectation === 'holder' ? held : ({ absent: true } as const);
  return { nonce: 'mine', durable: true, writes: [{ do: 'put', key: KEY, expect, content }] };
}

/** What stands there: a record. */
function stored(content: RecordContent, version: number, nonce: string): Buffer {
  const packer = new Packer();
  packRecord(packer, KEY, content, nonce);
  const bytes = packer.take();
  bytes.writeUInt32LE(version, 2);
  return bytes;
}

/** What stands there: a mark. */
function marked(nonce: string): Buffer {
  return Buffer.from(String(markOf(MARKED, nonce) + 3 * 8));
}

const nothing = Buffer.alloc(0);

test.each<[string, Change, Buffer, boolean]>([
  ['a placement that stands', change(OPEN, 'absent'), stored(OPEN, 1, 'mine'), false],
  ['a placement that others have gone on from', change(OPEN, 'absent'), stored(DONE, 3, 'other'), false],
  ['a placement of which a mark is left', change(OPEN, 'absent'), marked('other'), false],
  ['a placement that is gone', change(OPEN, 'absent'), nothing, true],
  ['an end that stands', change(DONE, 'holder'), stored(DONE, 3, 'mine'), false],
  ['an end that is gone', change(DONE, 'holder'), nothing, true],
  ['an end before which the record stands', change(DONE, 'holder'), stored(OPEN, 2, 'before'), true],
  ['an end that another attempt has reached again', change(DONE, 'holder'), stored(DONE, 4, 'other'), true],
  ['an end that was redriven', change(DONE, 'holder'), stored({ ...OPEN, generation: 6 }, 4, 'other'), false],
  ['an end whose retention is over', change({ ...DONE, expiresAt: NOW }, 'holder'), nothing, false],
  ['a retry that stands', change(OPEN, 'holder'), stored(OPEN, 3, 'mine'), false],
  ['a retry before which the record stands', change(OPEN, 'holder'), stored(OPEN, 2, 'before'), true],
  ['a mark that stands', change(MARKED, 'holder'), marked('mine'), false],
  ['a mark that another attempt has left', change(MARKED, 'holder'), marked('other'), true],
  ['something that can’t be read', change(DONE, 'holder'), Buffer.from([2, 0, 0]), false],
])('A1: %s', (_, written, found, lost) => {
  const acknowledged = new Acknowledged();
  acknowledged.note(written);
  const [write] = acknowledged.all();
  expect(isLost(write!, found, NOW)).toBe(lost);
});

test('A2: so many of the latest writes are remembered, the last one of each record', () => {
  const acknowledged = new Acknowledged();
  for (let n = 0; n < 100_000; n += 1) {
    const [write] = change(OPEN, 'absent').writes;
    acknowledged.note({ nonce: `${n}`, durable: true, writes: [{ ...write!, key: { ...KEY, id: `${n % 50_000}` } }] });
  }
  const { length } = acknowledged.all();
  expect(length).toBe(16_000);
  acknowledged.note(change(OPEN, 'absent'));
  acknowledged.note(change(DONE, 'holder'));
  expect(acknowledged.all().find(({ key }) => key.id === KEY.id)).toMatchObject({ version: 3 });
  acknowledged.note({
    nonce: 'x',
    durable: true,
    writes: [{ do: 'remove', key: { ...KEY, id: '49999' }, expect: { any: true } }],
  });
  expect(acknowledged.all().map(({ key }) => key.id)).not.toContain('49999');
  expect(acknowledged.all()).toHaveLength(16_000 - 3); // an earlier write, a removal, and what was removed
});
