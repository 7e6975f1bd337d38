import { expect, it } from 'vitest';
import { resolveOptions } from './options.js';

const endpoint = '127.0.0.1:8081';

it.each([[''], ['localhost'], ['a:1;b:2'], ['http://a:1'], ['a: 1']])('%j is no endpoint', (endpoint) => {
  expect(() => resolveOptions({ endpoint })).toThrow(expect.objectContaining({ code: 'E_OPTIONS' }));
});

it.each([[0], [1.5], [4 * 1024 * 1024], [Number.NaN]])(
  'no body of %d bytes: it could be sent, but never received',
  (maxBytes) => {
    expect(() => resolveOptions({ endpoint, maxBytes })).toThrow(expect.objectContaining({ code: 'E_OPTIONS' }));
  },
);

it.each([[0], [1.5], [Number.NaN]])('%d sends at once would never send', (sends) => {
  expect(() => resolveOptions({ endpoint, sends })).toThrow(expect.objectContaining({ code: 'E_OPTIONS' }));
});

it("takes no prefix that a topic can't start with", () => {
  expect(() => resolveOptions({ endpoint, prefix: 'a/b' })).toThrow(expect.objectContaining({ code: 'E_OPTIONS' }));
});

it.each([
  ['1s', 20],
  ['500ms', 19.2],
  ['100ms', 3.84],
] as const)('a precision of %s: a horizon of %d hours, below the roll window', (precision, hours) => {
  expect(resolveOptions({ endpoint, precision }).horizonMs).toBeCloseTo(hours * 3_600_000);
});

it('a horizon that is given is taken', () => {
  expect(resolveOptions({ endpoint, precision: '100ms', horizon: '10h' }).horizonMs).toBe(36_000_000);
});

it('messages are kept for the three days of the broker, unless it is told otherwise', () => {
  expect(resolveOptions({ endpoint }).retentionMs).toBe(3 * 86_400_000);
  expect(resolveOptions({ endpoint, retention: '7d' }).retentionMs).toBe(7 * 86_400_000);
});
