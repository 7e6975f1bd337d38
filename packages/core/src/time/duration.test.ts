import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CarillonError } from '../errors.js';
import { type Duration, durationMs, formatDuration, LONGEST_DURATION_MS } from './duration.js';

const refusal = (duration: unknown): CarillonError => {
  try {
    durationMs(duration as Duration, 'in');
  } catch (error) {
    if (CarillonError.is(error)) return error;
    throw error;
  }
  throw new Error(`accepted ${String(duration)}`);
};

describe('durationMs', () => {
  test.each<[Duration, number]>([
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
    ['1.5h', 5_400_000],
    ['.5s', 500],
    ['250ms', 250],
    ['1w', 604_800_000],
    ['1w2d3h4m5s6ms', 788_645_006],
    ['0s', 0],
    ['1m1ms', 60_001],
    ['1.005s', 1_005],
    ['0.4ms', 0],
    ['1.5ms', 2],
    ['PT5M', 300_000],
    ['P1DT2H', 93_600_000],
    ['P2W', 1_209_600_000],
    ['PT0.25S', 250],
    ['36525d', LONGEST_DURATION_MS],
    [{ hours: 1, minutes: 30 }, 5_400_000],
    [{ weeks: 1, days: 1, seconds: 1, milliseconds: 1 }, 691_201_001],
    [{ minutes: 0.5, hours: undefined }, 30_000],
  ])('%o is %i ms', (duration, ms) => {
    expect(durationMs(duration, 'in')).toBe(ms);
  });

  test.each<unknown>([
    '',
    'soon',
    '5',
    '5 parsecs',
    '5 m',
    '1h 30m',
    '-5m',
    '+5m',
    '1e3ms',
    '0x10m',
    'm',
    'h5',
    '1..5h',
    '.h',
    '1,5h',
    '30m1h',
    '5m5m',
    '5M',
    '٥m',
    'NaNs',
    'Infinitys',
    'P',
    'PT',
    'P1DT',
    'P1M',
    'P1Y',
    'pt5m',
    'PT5MT5S',
    'P5H',
    'PTT5M',
    '-PT5M',
    5,
    0,
    Number.NaN,
    5n,
    true,
    null,
    undefined,
    () => '5m',
    [],
    ['5m'],
    {},
    { hours: undefined },
    new Date(0),
    { hours: -1 },
    { hours: Number.NaN },
    { hours: Number.POSITIVE_INFINITY },
    { hours: '1' },
    { hours: null },
    { months: 1 },
    { years: 1 },
    { hour: 1 },
    { hours: 1, months: undefined },
  ])('refuses %o and shows how to write it', (duration) => {
    const error = refusal(duration);
    expect(error.code).toBe('E_DURATION');
    expect(error.message).toMatch(/^in is not a duration: /);
    expect(error.next).toContain("'1h30m'");
  });

  test('refuses more than 100 years', () => {
    expect(refusal('36526d').message).toMatch(/^in is longer than 100 years: '36526d'\./);
    expect(refusal({ days: 36_525, milliseconds: 1 }).code).toBe('E_DURATION');
    expect(refusal(`${'9'.repeat(60)}d`).code).toBe('E_DURATION');
    expect(refusal({ weeks: Number.MAX_VALUE, days: Number.MAX_VALUE }).code).toBe('E_DURATION');
  });

  test('D3: refuses a text beyond 64 characters unread, and shows only its beginning', () => {
    expect(durationMs(`${'0'.repeat(61)}5ms` as Duration, 'in')).toBe(5);
    expect(refusal(`${'0'.repeat(62)}5ms`).message).toContain('not a duration');
    expect(refusal('1'.repeat(10_000_000)).message.length).toBeLessThan(400);
  });

  test('D1: any text is a whole number of milliseconds or a refusal', () => {
    const piece = fc.constantFrom(
      'P',
      'T',
      'w',
      'd',
      'h',
      'm',
      's',
      'ms',
      'W',
      'D',
      'H',
      'M',
      'S',
      '.',
      '-',
      '0',
      '1.5',
      '999999',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        let ms: number;
        try {
          ms = durationMs(pieces.join('') as Duration, 'in');
        } catch (error) {
          return CarillonError.is(error) && error.code === 'E_DURATION';
        }
        return Number.isSafeInteger(ms) && ms >= 0 && ms <= LONGEST_DURATION_MS;
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('formatDuration', () => {
  test.each<[number, string]>([
    [5_400_000, '1h30m'],
    [0, '0ms'],
    [250, '250ms'],
    [1_500, '1s500ms'],
    [14 * 86_400_000, '14d'],
    [-3, '0ms'],
  ])('%i ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('durationMs reads it back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LONGEST_DURATION_MS }), (ms) => {
        expect(durationMs(formatDuration(ms) as Duration, 'in')).toBe(ms);
      }),
    );
  });
});
