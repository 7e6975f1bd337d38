import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Random } from '../time/clock.js';
import { durationMs } from '../time/duration.js';
import { type Backoff, type BackoffData, backoffMs, checkBackoff } from './backoff.js';

const drawing = (number: number): Random => ({ next: () => number });
const FIRST_DELAYS = [1, 2, 3, 4, 5];
const delays = (backoff: Backoff): number[] => FIRST_DELAYS.map((failure) => backoffMs(backoff, failure, drawing(0)));

describe('backoffMs', () => {
  test.each<[Backoff, number[]]>([
    [{ type: 'exponential' }, [1_000, 2_000, 4_000, 8_000, 16_000]],
    [{ type: 'exponential', from: '10s', factor: 3, to: '5m' }, [10_000, 30_000, 90_000, 270_000, 300_000]],
    [{ type: 'exponential', from: '1ms', factor: 1.5 }, [1, 2, 2, 3, 5]],
    [{ type: 'exponential', from: '2h' }, [7_200_000, 7_200_000, 7_200_000, 7_200_000, 7_200_000]],
    [{ type: 'exponential', from: '0s' }, [0, 0, 0, 0, 0]],
    [{ type: 'linear', step: '10s', to: '35s' }, [10_000, 20_000, 30_000, 35_000, 35_000]],
    [{ type: 'fixed', delay: '30s' }, [30_000, 30_000, 30_000, 30_000, 30_000]],
    [(failure) => ({ minutes: failure }), [60_000, 120_000, 180_000, 240_000, 300_000]],
  ])('%o', (backoff, expected) => {
    expect(delays(backoff)).toEqual(expected);
  });

  test('the default cap is an hour', () => {
    expect(backoffMs({ type: 'exponential' }, 13, drawing(0))).toBe(3_600_000);
  });

  test('B2: jitter is the share of the delay that is random, and only shortens it', () => {
    const fixed = (jitter?: number): BackoffData => ({ type: 'fixed', delay: '10s', jitter });
    expect(backoffMs(fixed(), 1, drawing(0.5))).toBe(9_500);
    expect(backoffMs(fixed(0.5), 1, drawing(0.5))).toBe(7_500);
    expect(backoffMs(fixed(1), 1, drawing(0.75))).toBe(2_500);
    expect(backoffMs(fixed(0), 1, drawing(0.75))).toBe(10_000);
  });

  test('B1: a whole number of milliseconds between 0 and the cap, for any failure', () => {
    const duration = fc
      .oneof(fc.constantFrom(0, 1, 36_525 * 86_400_000), fc.integer({ min: 0, max: 1e10 }))
      .map((ms) => ({ milliseconds: ms }));
    const jitter = fc.double({ min: 0, max: 1, noNaN: true });
    const backoff: fc.Arbitrary<BackoffData> = fc.oneof(
      fc.record({ type: fc.constant('fixed' as const), delay: duration, jitter }),
      fc.record({ type: fc.constant('linear' as const), step: duration, to: duration, jitter }),
      fc.record({
        type: fc.constant('exponential' as const),
        from: duration,
        factor: fc.oneof(fc.double({ min: 1, max: 10, noNaN: true }), fc.constant(Number.MAX_VALUE)),
        to: duration,
        jitter,
      }),
    );
    const failure = fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.constant(10_000));
    fc.assert(
      fc.property(
        backoff,
        failure,
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (data, count, random) => {
          checkBackoff(data, 'backoff');
          const cap = durationMs(data.type === 'fixed' ? data.delay : data.to!, 'cap');
          const ms = backoffMs(data, count, drawing(random));
          expect(Number.isSafeInteger(ms) && ms >= 0 && ms <= cap, String(ms)).toBe(true);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  test('B1: without a cap, a linear backoff stays a duration', () => {
    expect(backoffMs({ type: 'linear', step: '30d' }, 10_000, drawing(0))).toBe(durationMs('36525d', 'cap'));
  });

  test('names the function that answers with no duration', () => {
    const eventually = (): never => Number.NaN as never;
    expect(() => backoffMs(eventually, 3, drawing(0))).toThrow(
      expect.objectContaining({
        code: 'E_DURATION',
        message: expect.stringMatching(
          /^The answer of the backoff function 'eventually' to failure 3 is not a duration: NaN\./,
        ),
      }),
    );
    for (const answer of [undefined, null, 5, -1, 'soon', { hours: -1 }, Promise.resolve('5m')]) {
      expect(() => backoffMs(() => answer as never, 1, drawing(0))).toThrow(
        expect.objectContaining({ code: 'E_DURATION' }),
      );
    }
  });
});

describe('checkBackoff', () => {
  test('takes what is sound, and calls no function', () => {
    checkBackoff({ type: 'exponential', from: '5s', factor: 1, to: '1m', jitter: 0 }, 'retry.backoff');
    checkBackoff({ type: 'linear', step: '5s', jitter: 1 }, 'retry.backoff');
    checkBackoff({ type: 'fixed', delay: '0s', jitter: undefined }, 'retry.backoff');
    let calls = 0;
    const counting = (): '1s' => {
      calls += 1;
      return '1s';
    };
    checkBackoff(counting, 'retry.backoff');
    expect(calls).toBe(0);
  });

  test.each<[string, unknown, string, RegExp]>([
    ['no type', {}, 'E_OPTIONS', /^retry\.backoff is not a backoff/],
    ['another type', { type: 'fibonacci' }, 'E_OPTIONS', /fibonacci/],
    ['a type of Object.prototype', { type: 'constructor' }, 'E_OPTIONS', /is not a backoff/],
    ['a text', '5s', 'E_OPTIONS', /is not a backoff: '5s'/],
    ['null', null, 'E_OPTIONS', /is not a backoff: null/],
    ['a field of no backoff', { type: 'fixed', delay: '1s', max: '1h' }, 'E_OPTIONS', /does not know: max/],
    ['a field of another', { type: 'fixed', delay: '1s', to: '1h' }, 'E_OPTIONS', /'fixed' does not know: to/],
    ['no delay', { type: 'fixed' }, 'E_DURATION', /^retry\.backoff\.delay/],
    ['no step', { type: 'linear' }, 'E_DURATION', /^retry\.backoff\.step/],
    ['a bad from', { type: 'exponential', from: 5 }, 'E_DURATION', /^retry\.backoff\.from/],
    ['a bad to', { type: 'exponential', to: 'never' }, 'E_DURATION', /^retry\.backoff\.to/],
    ['a bad to of linear', { type: 'linear', step: '1s', to: -1 }, 'E_DURATION', /^retry\.backoff\.to/],
    ['a shrinking factor', { type: 'exponential', factor: 0.5 }, 'E_OPTIONS', /^retry\.backoff\.factor/],
    ['a factor that is no number', { type: 'exponential', factor: '2' }, 'E_OPTIONS', /^retry\.backoff\.factor/],
    ['an infinite factor', { type: 'exponential', factor: Infinity }, 'E_OPTIONS', /^retry\.backoff\.factor/],
    ['a jitter above 1', { type: 'exponential', jitter: 1.1 }, 'E_OPTIONS', /^retry\.backoff\.jitter/],
    ['a negative jitter', { type: 'fixed', delay: '1s', jitter: -0.1 }, 'E_OPTIONS', /^retry\.backoff\.jitter/],
    ['a jitter that is no number', { type: 'fixed', delay: '1s', jitter: NaN }, 'E_OPTIONS', /^retry\.backoff\.jitter/],
  ])('refuses %s', (_name, backoff, code, message) => {
    expect(() => checkBackoff(backoff as Backoff, 'retry.backoff')).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});
