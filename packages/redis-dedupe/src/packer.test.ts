import { expect, test } from 'vitest';
import { Packer } from './packer.js';

test('texts are packed as UTF-8, short and long, plain and not', () => {
  for (const text of ['', 'plain', 'später ', '東京', 'a😀b', `${'x'.repeat(63)}ü`, 'y'.repeat(100_000)]) {
    const piece = new Packer().text(text).byte(7).take();
    expect(piece).toEqual(Buffer.concat([Buffer.from(text), Buffer.from([7])]));
  }
});

test('a block says its length, also of blocks within it, and when the space grows meanwhile', () => {
  const packer = new Packer();
  packer.block(() => packer.word('ab').block(() => packer.text('x'.repeat(40_000))));
  const piece = packer.take();
  expect(piece.readUInt32LE(0)).toBe(piece.length - 4);
  expect(piece.toString('latin1', 6, 8)).toBe('ab');
  expect(piece.readUInt32LE(8)).toBe(40_000);
});

test('K1: a piece stays as it is, and what was taken back is not part of the next', () => {
  const packer = new Packer();
  const first = packer.text('first').take();
  packer.text('kept');
  const { length } = packer;
  expect(() => packer.text('left').word('x'.repeat(70_000))).toThrow(TypeError);
  packer.backTo(length);
  const second = packer.text(' and more').take();
  expect([String(first), String(second)]).toEqual(['first', 'kept and more']);
});

test('a part is taken from the front, and the rest comes next', () => {
  const packer = new Packer().text('x'.repeat(100_000)).text('rest');
  expect(packer.take(100_000).length).toBe(100_000);
  expect(String(packer.text(', more').take())).toBe('rest, more');
  expect(packer.length).toBe(0);
});

test('whatever is packed, the space grows before it', () => {
  for (const pack of [
    (packer: Packer) => packer.byte(1),
    (packer: Packer) => packer.count(1),
    (packer: Packer) => packer.size(1),
    (packer: Packer) => packer.number(1),
    (packer: Packer) => packer.word('a'),
    (packer: Packer) => packer.text('a'),
    (packer: Packer) => packer.bytes(Buffer.from('a')),
  ]) {
    const one = pack(new Packer()).take();
    const packer = new Packer();
    for (let n = 0; n < 5_000; n += 1) pack(packer);
    expect(packer.take()).toEqual(Buffer.concat(Array.from({ length: 5_000 }, () => one)));
  }
});
