import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEnvelope, encodeEnvelope, type Envelope, ENVELOPE_VERSION } from './envelope.js';

const ENVELOPE: Envelope = {
  key: { kind: 'job', id: 'id', partition: '7f' },
  generation: 1_800_000_000_000_000,
  task: 't',
  dueAt: 1_800_000_000_000,
  hop: 0,
};
const WIRE = JSON.parse(Buffer.from(encodeEnvelope(ENVELOPE)).toString()) as Record<string, unknown>;
const bytesOf = (wire: unknown): Uint8Array => Buffer.from(JSON.stringify(wire));
const without = (field: string): unknown => ({ ...WIRE, [field]: undefined });

test('V1: a message carries identity only', () => {
  expect(Object.keys(WIRE).toSorted()).toEqual(['d', 'g', 'h', 'i', 'k', 'p', 'r', 't', 'v']);
  expect(encodeEnvelope(ENVELOPE).byteLength).toBeLessThan(120);
});

test('V1: an on-claim job travels whole, and costs no more than its body', () => {
  const body = JSON.stringify({ payload: '"'.repeat(500) });
  const bytes = encodeEnvelope({ ...ENVELOPE, body });
  expect(bytes.byteLength).toBe(encodeEnvelope(ENVELOPE).byteLength + ',"b":'.length + body.length);
  expect(decodeEnvelope(bytes, 10_000)).toEqual({ is: 'envelope', envelope: { ...ENVELOPE, body } });
});

test('what is written is read', () => {
  const texts = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
  const envelopes = fc.record<Envelope>(
    {
      key: fc.record({ kind: texts, id: texts, partition: texts }),
      generation: fc.maxSafeNat(),
      task: texts,
      dueAt: fc.maxSafeNat(),
      hop: fc.nat(),
      body: fc.string({ unit: 'grapheme' }).map((payload) => JSON.stringify({ payload: { text: payload } })),
    },
    { requiredKeys: ['key', 'generation', 'task', 'dueAt', 'hop'] },
  );
  fc.assert(
    fc.property(envelopes, (envelope) => {
      const decoded = decodeEnvelope(encodeEnvelope(envelope), 100_000);
      expect(decoded).toEqual({ is: 'envelope', envelope });
    }),
  );
});

describe('V2: what cannot be read is malformed, with a reason', () => {
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /empty/],
    ['too much', bytesOf({ ...WIRE, more: 'x'.repeat(2_000) }), /more than 1000/],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), /not UTF-8/],
    ['no JSON', Buffer.from('{"v":1'), /not JSON/],
    ['another text', Buffer.from('hello'), /not JSON/],
    ['null', bytesOf(null), /not an object/],
    ['a list', bytesOf([WIRE]), /not an object/],
    ['a text', bytesOf('job'), /not an object/],
    ['an empty object', bytesOf({}), /no version/],
    ['a text for a version', bytesOf({ ...WIRE, r: '1' }), /no version/],
    ['a negative version', bytesOf({ ...WIRE, r: -1 }), /no version/],
    ['no kind', bytesOf(without('k')), /identity/],
    ['no id', bytesOf(without('i')), /identity/],
    ['no partition', bytesOf(without('p')), /identity/],
    ['no task', bytesOf(without('t')), /identity/],
    ['an empty id', bytesOf({ ...WIRE, i: '' }), /identity/],
    ['a long id', bytesOf({ ...WIRE, i: 'x'.repeat(601) }), /identity/],
    ['an id that is an object', bytesOf({ ...WIRE, i: { toString: 1 } }), /identity/],
    ['no generation', bytesOf(without('g')), /number/],
    ['half a generation', bytesOf({ ...WIRE, g: 1.5 }), /number/],
    ['a negative due time', bytesOf({ ...WIRE, d: -1 }), /number/],
    ['a due time out of range', bytesOf({ ...WIRE, d: 2 ** 53 }), /number/],
    ['no hop', bytesOf(without('h')), /number/],
    ['a body that is a number', bytesOf({ ...WIRE, b: 5 }), /body/],
    ['a body that is null', bytesOf({ ...WIRE, b: null }), /body/],
  ])('%s', (_name, bytes, reason) => {
    expect(decodeEnvelope(bytes, 1_000)).toEqual({ is: 'malformed', reason: expect.stringMatching(reason) });
  });

  test('a newer version is told apart, whatever else has changed', () => {
    expect(decodeEnvelope(bytesOf({ r: ENVELOPE_VERSION + 1 }), 1_000)).toEqual({
      is: 'newer',
      reader: ENVELOPE_VERSION + 1,
    });
  });

  test('a newer writer that this reader may read is read, and its new fields do no harm', () => {
    const wire = { ...WIRE, v: ENVELOPE_VERSION + 1, z: { priority: 1 }, __proto__: { k: 'evil' } };
    expect(decodeEnvelope(bytesOf(wire), 1_000)).toEqual({ is: 'envelope', envelope: ENVELOPE });
  });

  test('a body that is nested beyond any stack', () => {
    const wire = JSON.stringify({ ...WIRE, b: {} }).replace(
      '"b":{}',
      `"b":${'['.repeat(200_000)}${']'.repeat(200_000)}`,
    );
    expect(decodeEnvelope(Buffer.from(wire), 1_000_000).is).toBe('malformed');
  });

  test('no bytes make it throw', () => {
    const mutated = fc
      .tuple(fc.nat({ max: 99 }), fc.nat({ max: 255 }))
      .map(([at, byte]) => encodeEnvelope(ENVELOPE).map((old, index) => (index === at ? byte : old)));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          mutated,
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          expect(['envelope', 'newer', 'malformed']).toContain(decodeEnvelope(bytes, 1_000).is);
        },
      ),
    );
  });
});
