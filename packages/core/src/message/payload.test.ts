import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodePayload, encodePayload, pathOf } from './payload.js';

const LIMIT = 65_536;
const encode = (value: unknown, limit = LIMIT): string => encodePayload(value, limit, 'payload');
const nested = (levels: number): unknown => (levels === 0 ? 1 : { in: nested(levels - 1) });

class Money {
  constructor(readonly cents: number) {}
}

describe('encodePayload', () => {
  test.each<[unknown, string]>([
    [undefined, 'null'],
    [null, 'null'],
    [true, 'true'],
    [1.5, '1.5'],
    ['ä"\n', '"ä\\"\\n"'],
    [{ a: [1, { b: null }], c: undefined }, '{"a":[1,{"b":null}]}'],
    [Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    [runInNewContext('({ a: [{ b: 1 }] })'), '{"a":[{"b":1}]}'],
    [{ toJSON: 'a text' }, '{"toJSON":"a text"}'],
  ])('%o is %s', (value, text) => {
    expect(encode(value)).toBe(text);
  });

  const cycle: Record<string, unknown> = { name: 'root' };
  cycle['child'] = { parents: [cycle] };
  const hidden = Object.defineProperty({ a: 1 }, 'toJSON', { value: () => 2, enumerable: false });

  test.each<[string, unknown, string]>([
    ['a Date', { at: new Date(0) }, 'payload.at is a Date'],
    ['an invalid Date', { at: new Date(Number.NaN) }, 'payload.at is a Date'],
    ['a Date of another realm', { at: runInNewContext('new Date(0)') }, 'payload.at is a Date'],
    ['a Map', [new Map()], 'payload[0] is a Map'],
    ['a Set', { a: { b: new Set() } }, 'payload.a.b is a Set'],
    ['a function', { 'on end': () => 1 }, "payload['on end'] is a function"],
    ['a symbol', { s: Symbol('s') }, 'payload.s is a symbol'],
    ['a bigint', { items: [1, 2n] }, 'payload.items[1] is a bigint'],
    ['NaN', { n: Number.NaN }, 'payload.n is NaN'],
    ['Infinity', -Infinity, 'payload is -Infinity'],
    ['a class instance', { price: new Money(5) }, 'payload.price is a Money'],
    ['an Error', new Error('no'), 'payload is a Error'],
    ['a Promise', { p: Promise.resolve(1) }, 'payload.p is a Promise'],
    ['a RegExp', /a/, 'payload is a RegExp'],
    ['a Buffer', Buffer.from('a'), 'payload is a Buffer'],
    ['a typed array', new Uint8Array(2), 'payload is a Uint8Array'],
    ['a boxed number', new Number(5), 'payload is a Number'], // eslint-disable-line no-new-wrappers
    ['a toJSON of its own', { a: { toJSON: () => 1 } }, 'payload.a is an object with a toJSON'],
    ['a hidden toJSON', { a: hidden }, 'payload.a is an object with a toJSON'],
    ['undefined in an array', { a: [1, undefined] }, 'payload.a[1] is undefined in an array'],
    ['a hole', [1, , 2], 'payload[1] is undefined in an array'], // eslint-disable-line no-sparse-arrays
    ['a cycle', cycle, 'payload.child.parents[0] is a reference to what it is in'],
    ['33 levels', nested(33), `payload${'.in'.repeat(32)} is nested deeper than 32 levels`],
  ])('Y1: refuses %s and names its path', (_name, value, message) => {
    expect(() => encode(value)).toThrow(
      expect.objectContaining({ code: 'E_PAYLOAD', message: expect.stringContaining(message) }),
    );
  });

  test('Y1: takes 32 levels, and one object in two places', () => {
    expect(decodePayload(encode(nested(32)))).toEqual(nested(32));
    const address = { city: 'Ulm' };
    expect(encode({ from: address, to: address })).toBe('{"from":{"city":"Ulm"},"to":{"city":"Ulm"}}');
  });

  test('Y2: drops the barred keys, whatever they hold, and leaves the value alone', () => {
    const value = {
      a: [JSON.parse('{"__proto__":{"x":1},"b":1}')],
      constructor: () => 1,
      prototype: 2,
      c: 'constructor',
    };
    const before = structuredClone({ ...value, constructor: undefined });
    expect(encode(value)).toBe('{"a":[{"b":1}],"c":"constructor"}');
    expect({ ...value, constructor: undefined }).toEqual(before);
  });

  test('limits the bytes, not the characters', () => {
    const text = 'ä'.repeat(49);
    expect(encode(text, 100)).toBe(`"${text}"`);
    expect(() => encode(`${text}a`, 100)).toThrow(
      expect.objectContaining({
        code: 'E_PAYLOAD_SIZE',
        message: expect.stringContaining('101 bytes long, the limit is 100'),
      }),
    );
    expect(encode('a'.repeat(98), 100)).toHaveLength(100);
    expect(() => encode('a'.repeat(99), 100)).toThrow(expect.objectContaining({ code: 'E_PAYLOAD_SIZE' }));
    expect(() => encode('\u0001'.repeat(90), 100)).toThrow(expect.objectContaining({ code: 'E_PAYLOAD_SIZE' }));
  });

  test('Y3: refuses a value that shares its parts without end, in time', () => {
    let value: unknown = 1;
    for (let level = 0; level < 31; level += 1) value = [value, value]; // 2 ** 31 numbers if written out
    expect(() => encode(value, 1_000)).toThrow(
      expect.objectContaining({ code: 'E_PAYLOAD_SIZE', message: expect.stringContaining('more than 16000 bytes') }),
    );
    expect(() => encode({ text: 'a'.repeat(100_000) }, 1_000)).toThrow(
      expect.objectContaining({ code: 'E_PAYLOAD_SIZE' }),
    );
  });

  test('Y1, Y2: what goes in comes out, without the barred keys', () => {
    const barred = ['__proto__', 'constructor', 'prototype'];
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value);
        const expected: unknown = JSON.parse(text, (key, part: unknown) => (barred.includes(key) ? undefined : part));
        expect(encode(value)).toBe(JSON.stringify(expected));
        expect(JSON.stringify(decodePayload(text))).toBe(JSON.stringify(expected));
      }),
    );
  });
});

describe('decodePayload', () => {
  test.each<[string, unknown]>([
    ['{"__proto__":{"admin":true},"a":1}', { a: 1 }],
    ['{"a":[{"constructor":{"prototype":{"x":1}},"b":2}]}', { a: [{ b: 2 }] }],
    ['{"\\u005f_proto__":{"admin":true},"a":1}', { a: 1 }],
    ['{"\\u0063onstructor":1,"prototyp\\u0065":2,"a":{"__proto\\u005F_":3}}', { a: {} }],
    ['{"a":"__proto__","b":["constructor","\\u0070rototype"]}', { a: '__proto__', b: ['constructor', 'prototype'] }],
    ['{"a":"\\u00e4"}', { a: 'ä' }],
    ['{"constructor":1}', {}],
    ['{"prototype":1}', {}],
    ['{"":{"":1}}', { '': { '': 1 } }],
    ['null', null],
  ])('Y2: %s', (text, value) => {
    const decoded = decodePayload(text);
    expect(decoded).toEqual(value);
    expect(JSON.stringify(decoded)).toBe(JSON.stringify(value)); // toEqual does not see an own __proto__
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
  });

  test('Y2: no barred key comes out, however it is spelled', () => {
    const spelled = fc.constantFrom('__proto__', 'constructor', 'prototype').chain((key) =>
      fc.array(fc.boolean(), { minLength: key.length, maxLength: key.length }).map((escapes) =>
        Array.from(key)
          .map((letter, i) => (escapes[i] ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter))
          .join(''),
      ),
    );
    fc.assert(
      fc.property(spelled, (key) => {
        expect(Reflect.ownKeys(decodePayload(`{"a":1,"${key}":{"b":1}}`) as object)).toEqual(['a']);
      }),
    );
  });

  test.each(['', '{', '{"a":1', "{'a':1}", 'undefined', '{"a":NaN}', '[1,]', '\u0000', '"\\ud"'])(
    'refuses %o',
    (text) => {
      expect(() => decodePayload(text)).toThrow(
        expect.objectContaining({ code: 'E_PAYLOAD', cause: expect.any(Error) }),
      );
    },
  );

  test('a text nested a million deep is a value or a refusal, never a crash', () => {
    const deep = `${'['.repeat(1e6)}"\\u0061"${']'.repeat(1e6)}`;
    expect(() => decodePayload(deep)).toThrow(expect.objectContaining({ code: 'E_PAYLOAD' }));
  });
});

test('pathOf writes a path as code does', () => {
  expect(pathOf('payload', ['items', 2, 'unit price', '2', Symbol('s')])).toBe(
    "payload.items[2]['unit price']['2'][Symbol(s)]",
  );
  expect(pathOf('payload', ['x'.repeat(1e6)]).length).toBeLessThan(200);
});
