import { describe, expect, test } from 'vitest';
import { parseCron, tidyCron } from './cron.js';
import { parseRule } from './rule.js';

const parse = (text: string): ReturnType<typeof parseCron> => parseCron(tidyCron(text, 'cron of x'), 'cron of x');
const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);

describe('N1: fields', () => {
  test('five, six with seconds first, seven with years last', () => {
    const nine = { minute: [0], hour: [9], dayOfMonth: undefined, month: range(1, 12), dayOfWeek: range(1, 5) };
    expect(parse('0 9 * * 1-5')).toMatchObject({ ...nine, second: [0], year: undefined });
    expect(parse('30 0 9 * * 1-5')).toMatchObject({ ...nine, second: [30], year: undefined });
    expect(parse('30 0 9 * * 1-5 2027-2029')).toMatchObject({ ...nine, second: [30], year: [2027, 2028, 2029] });
    expect(parse('* * * * * *').second).toEqual(range(0, 59));
  });

  test.each([
    ['@yearly', '0 0 1 1 *'],
    ['@annually', '0 0 1 1 *'],
    ['@monthly', '0 0 1 * *'],
    ['@weekly', '0 0 * * 0'],
    ['@daily', '0 0 * * *'],
    ['@midnight', '0 0 * * *'],
    ['@weekdays', '0 0 * * 1-5'],
    ['@weekends', '0 0 * * 0,6'],
    ['@hourly', '0 * * * *'],
    ['@minutely', '* * * * *'],
    ['@secondly', '* * * * * *'],
    ['  0   9 * * mon-Fri ', '0 9 * * 1-5'],
    ['0 9 ? jan-MAR,12 SUN', '0 9 * 1-3,12 7'],
    ['0 9 * * FRI-SUN', '0 9 * * 5,6,0'],
    ['1-5,3,3,1 9 * * *', '1,2,3,4,5 9 * * *'],
    ['5/15 9 * * *', '5,20,35,50 9 * * *'],
    ['10-40/15 */8 * * *', '10,25,40 0,8,16 * * *'],
    ['0 9 * * FRIL,5#2', '0 9 * * 5#2,5#L'],
  ])('%s means %s', (text, same) => {
    const sorted = (fields: object): string =>
      JSON.stringify(fields, (_, value: unknown) =>
        Array.isArray(value) ? value.map((item) => JSON.stringify(item)).toSorted() : value,
      );
    expect(sorted(parse(text))).toBe(sorted(parse(same)));
  });

  test.each([
    ['0 0 L * *', '2027-02-28 2027-03-31'],
    ['0 0 L-3 * *', '2027-02-25 2027-03-28'],
    ['0 0 15W * *', '2027-02-15 2027-03-15'],
    ['0 0 28W * *', '2027-02-26 2027-03-29'], // Sunday the 28th is February's last day, so it goes back
    ['0 0 6W * *', '2027-02-05 2027-03-05'],
    ['0 0 LW * *', '2027-02-26 2027-03-31'],
    ['0 0 1W 5,8 *', '2027-05-03 2027-08-02'], // Saturday and Sunday the 1st: never into the month before
    ['0 0 * * 5#2', '2027-02-12 2027-03-12'],
    ['0 0 * * 5L', '2027-02-26 2027-03-26'],
    ['0 0 * * 1#5', '2027-03-29 2027-05-31'],
    ['0 0 29 2 *', '2028-02-29 2032-02-29'],
    ['0 0 13 * 5', '2027-02-05 2027-02-12'], // either
    ['0 0 29 2 1#1', '2027-02-01 2028-02-07'],
    ['0 0 ? * 5', '2027-02-05 2027-02-12'],
    ['0 0 13 * ?', '2027-02-13 2027-03-13'],
    ['0 0 0 1 1 * 2030/4', '2030-01-01 2034-01-01'],
    ['0 0 0 1 1 ? 2031,2029', '2029-01-01 2031-01-01'],
  ])('%s: %s', (cron, dates) => {
    const rule = parseRule({ cron }, 'test');
    const first = rule.next(Date.UTC(2027, 0, 31, 12))!;
    const text = [first, rule.next(first)!].map((slot) => new Date(slot).toISOString().slice(0, 10)).join(' ');
    expect(text).toBe(dates);
  });
});

describe('N2: what has no one reading is refused', () => {
  test.each([
    '',
    '* * * *',
    '* * * * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '0 0 0 * *',
    '0 0 32 * *',
    '0 0 * 13 *',
    '0 0 * * 8',
    '1-5-9 * * * *',
    '0 22-2 * * *',
    '0 0 * * FRI-MON',
    '*/0 * * * *',
    '1,,2 * * * *',
    '1, * * * *',
    '+5 * * * *',
    '5e0 * * * *',
    '0x5 * * * *',
    '1.5 * * * *',
    '-1 * * * *',
    '5- * * * *',
    '0 0 * MON *',
    '0 0 * * JAN',
    '0 0 * * SUNDAY',
    '0 0 * * L',
    '0 0 * * 1-5L',
    '0 0 * * 5#6',
    '0 0 * * 5#0',
    '0 0 32W * *',
    '0 0 0W * *',
    '0 0 L-31 * *',
    '0 0 LL * *',
    '0 0 5L * *',
    '0 0 1-5W * *',
    'H * * * *',
    '@reboot',
    '@every 5m',
    'TZ=UTC 0 0 * * *',
    '0 0 0 1 1 * 1969',
    '0 0 0 1 1 * 2030-2029',
    '0 0 0 1 1 * 2030/0',
    '0 0 0 1 1 * */00',
    '*/00 * * * *',
    '0 0 0 1 1 * 20000',
    '$ * * * *',
    '٣ * * * *',
    '0 0 * * 1%2',
  ])('%j', (cron) => {
    expect(() => parseRule({ cron }, 'schedule daily')).toThrow(/schedule daily.*\[E_RULE\]$/s);
  });

  test.each([[undefined], [null], [5], [{}], [[['0 9 * * *']]]])('%o', (cron) => {
    expect(() => parseRule({ cron: cron as never }, 'schedule daily')).toThrow('[E_RULE]');
  });
});

describe('N3: bounded', () => {
  test.each([
    '0 0 30 2 *',
    '0 0 31 2,4,6,9,11 *',
    '0 0 31W 2,4 *',
    '0 0 L-30 2,4 *',
    '0 0 29 2 * 2027'.replace(/^/, '0 '),
    '0 0 0 29 2 * 2027,2029-2031',
  ])('%s never comes', (cron) => {
    expect(() => parseRule({ cron }, 'schedule daily')).toThrow(/never matches/);
  });

  test('long texts are refused unread', () => {
    expect(() => parseRule({ cron: `${'1,'.repeat(200)}1 * * * *` }, 'x')).toThrow('256 characters');
    expect(() => parseRule({ cron: ' '.repeat(1e6) }, 'x')).toThrow('256 characters');
    expect(() => parseRule({ cron: Array.from({ length: 101 }, (_, at) => `0 0 0 1 1 * ${2000 + at}`) }, 'x')).toThrow(
      '100 times',
    );
  });

  test('far dates are found: the weekday of a leap day has its turn in 40 years', () => {
    const rule = parseRule(
      { calendar: { month: 2, dayOfMonth: 29, dayOfWeek: 'mon' }, timezone: 'Europe/Berlin' },
      'x',
    );
    expect(new Date(rule.next(Date.UTC(2072, 5, 1))!).toISOString()).toBe('2112-02-28T23:00:00.000Z');
    expect(parseRule({ cron: '0 0 0 1 1 * 9998' }, 'x').next(0)).toBe(Date.UTC(9998, 0, 1));
  });
});
