import { expect, test } from 'vitest';
import { Packer } from './packer.js';

test('texts are packed as UTF-8, short and long, plain and not', () => {
  for (const text of ['', 'plain', 'später ', '東京', 'a😀b', `${'x'.repeat(63)}ü`, 'y'.repeat(100_000)]) {
    const piece = new Packer().begin().text(text).byte(7).take();
    expect(piece).toEqual(Buffer.concat([Buffer.from(text), Buffer.from([7])]));
  }
});

test('a block says its length, also of blocks within it, and when the space grows meanwhile', () => {
  const packer = new Packer().begin();
  packer.block(() => packer.word('ab').block(() => packer.text('x'.repeat(40_000))));
  const piece = packer.take();
  expect(piece.readUInt32LE(0)).toBe(piece.length - 4);
  expect(piece.toString('latin1', 6, 8)).toBe('ab');
  expect(piece.readUInt32LE(8)).toBe(40_000);
});

test('K1: a piece stays as it is, and what a throw left behind is not part of the next', () => {
  const packer = new Packer();
  const first = packer.begin().text('first').take();
  expect(() => packer.begin().text('left').word('x'.repeat(70_000))).toThrow(TypeError);
  const second = packer.begin().text('other').take();
  expect([String(first), String(second)]).toEqual(['first', 'other']);
});
