import { describe, expect, test } from 'vitest';
import { parseRule } from './rule.js';
import type { CalendarSpec } from './spec.js';

const slots = (calendar: CalendarSpec | readonly CalendarSpec[], count: number, timezone = 'UTC'): string[] => {
  const rule = parseRule({ calendar, timezone }, 'schedule x');
  let slot = Date.parse('2027-02-01T00:00Z') - 1;
  return Array.from({ length: count }, () =>
    new Date((slot = rule.next(slot)!)).toISOString().replace(/(:00)?\.000Z$/, ''),
  );
};

describe('K1: all fields match', () => {
  test.each<[string, CalendarSpec, string[]]>([
    ['a time of the day', { hour: 9, minute: 30 }, ['2027-02-01T09:30', '2027-02-02T09:30']],
    ['day of month AND day of week', { dayOfMonth: 13, dayOfWeek: 'fri' }, ['2027-08-13T00:00', '2028-10-13T00:00']],
    [
      'a range with both ends',
      { hour: { from: 22, to: 23 } },
      ['2027-02-01T22:00', '2027-02-01T23:00', '2027-02-02T22:00'],
    ],
    [
      'a step from the start of its range',
      { minute: { from: 10, to: 59, step: 25 }, hour: 4 },
      ['2027-02-01T04:10', '2027-02-01T04:35', '2027-02-02T04:10'],
    ],
    [
      'a list of both',
      { hour: [{ from: 1, to: 2 }, 2, 23] },
      ['2027-02-01T01:00', '2027-02-01T02:00', '2027-02-01T23:00'],
    ],
    [
      'seconds',
      { second: [0, 30], minute: '*', hour: '*' },
      ['2027-02-01T00:00', '2027-02-01T00:00:30', '2027-02-01T00:01'],
    ],
    [
      'months by name',
      { month: ['march', 'feb'], dayOfMonth: 2 },
      ['2027-02-02T00:00', '2027-03-02T00:00', '2028-02-02T00:00'],
    ],
    [
      'weekdays by name, over the end of the week',
      { dayOfWeek: { from: 'sat', to: 'sunday' } },
      ['2027-02-06T00:00', '2027-02-07T00:00', '2027-02-13T00:00'],
    ],
    [
      'as many days as a week has numbers, and still not all',
      {
        dayOfWeek: [
          { from: 'mon', to: 'sat' },
          { nth: 1, weekday: 'sun' },
          { nth: 3, weekday: 'sun' },
        ],
        hour: 9,
      },
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15].map((day) => `2027-02-${String(day).padStart(2, '0')}T09:00`),
    ],
    ['Sunday as 0 and 7', { dayOfWeek: [0, 7] }, ['2027-02-07T00:00', '2027-02-14T00:00']],
    [
      'years',
      { year: { from: 2029, to: 2033, step: 4 }, month: 1, dayOfMonth: 1 },
      ['2029-01-01T00:00', '2033-01-01T00:00'],
    ],
    ['the last day of the month', { dayOfMonth: 'last' }, ['2027-02-28T00:00', '2027-03-31T00:00']],
    [
      'the last day if it is a Sunday',
      { dayOfMonth: 'last', dayOfWeek: 'sun' },
      ['2027-02-28T00:00', '2027-10-31T00:00'],
    ],
    ['the second Tuesday', { dayOfWeek: { nth: 2, weekday: 'tuesday' } }, ['2027-02-09T00:00', '2027-03-09T00:00']],
    [
      'the last Friday, and each Monday',
      { dayOfWeek: [{ nth: 'last', weekday: 5 }, 'mon'] },
      ['2027-02-01T00:00', '2027-02-08T00:00', '2027-02-15T00:00', '2027-02-22T00:00', '2027-02-26T00:00'],
    ],
    [
      'the weekday nearest to the 15th',
      { dayOfMonth: { nearestWeekday: 15 } },
      ['2027-02-15T00:00', '2027-03-15T00:00', '2027-04-15T00:00', '2027-05-14T00:00', '2027-06-15T00:00'],
    ],
    ['the last weekday', { dayOfMonth: { nearestWeekday: 'last' } }, ['2027-02-26T00:00', '2027-03-31T00:00']],
  ])('%s', (_what, calendar, expected) => {
    expect(slots(calendar, expected.length)).toEqual(expected);
  });
});

test('a list means any of them, on the wall clock of the zone', () => {
  expect(slots([{ hour: 9 }, { hour: 0, dayOfMonth: 1 }], 3, 'Asia/Kolkata')).toEqual([
    '2027-02-01T03:30',
    '2027-02-02T03:30',
    '2027-02-03T03:30',
  ]);
});

describe('refused', () => {
  test.each<[unknown, string]>([
    [{}, 'calendar of schedule x is not an object with fields'],
    ['daily', 'not an object'],
    [{ weekday: 1 }, "no field 'weekday'"],
    [{ hour: 24 }, 'hour of calendar of schedule x'],
    [{ hour: -1 }, 'hour of'],
    [{ hour: 1.5 }, 'hour of'],
    [{ hour: '9' }, 'hour of'],
    [{ hour: [] }, 'hour of'],
    [{ hour: null }, 'hour of'],
    [{ hour: Array.from({ length: 101 }, () => 1) }, 'hour of'],
    [{ hour: { from: 9, to: 8 } }, 'hour of'],
    [{ hour: { from: 9, to: 17, step: 0 } }, 'hour of'],
    [{ hour: { from: 9 } }, 'hour of'],
    [{ minute: 60 }, 'minute of'],
    [{ dayOfMonth: 0 }, 'dayOfMonth of'],
    [{ dayOfMonth: 'first' }, 'dayOfMonth of'],
    [{ dayOfMonth: { nearestWeekday: 32 } }, 'dayOfMonth of'],
    [{ month: 'ma' }, 'month of'],
    [{ month: 0 }, 'month of'],
    [{ dayOfWeek: 8 }, 'dayOfWeek of'],
    [{ dayOfWeek: { nth: 6, weekday: 1 } }, 'dayOfWeek of'],
    [{ dayOfWeek: { nth: 1 } }, 'dayOfWeek of'],
    [{ year: 1969 }, 'year of'],
    [{ month: 2, dayOfMonth: 30 }, 'never matches'],
    [{ month: 4, dayOfMonth: 31, hour: 9 }, 'never matches'],
    [{ year: 2027, month: 2, dayOfMonth: 29 }, 'never matches'],
  ])('%o', (calendar, message) => {
    expect(() => parseRule({ calendar: calendar as CalendarSpec }, 'schedule x')).toThrow(message);
    expect(() => parseRule({ calendar: calendar as CalendarSpec }, 'schedule x')).toThrow('[E_RULE]');
  });
});
