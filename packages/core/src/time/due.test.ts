import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dueInstant, dueOf, isWall, type When } from './due.js';
import { LAST_INSTANT } from './instant.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');
const at = (text: string, timezone?: string): When => ({ at: text, timezone });

describe('U1: what is said as an instant is kept as one', () => {
  test.each<[When, string]>([
    [{ in: '5m' }, '2027-01-15T12:05:00.000Z'],
    [{ in: { hours: 1 } }, '2027-01-15T13:00:00.000Z'],
    [{ in: '0s' }, '2027-01-15T12:00:00.000Z'],
    [{ at: new Date(NOW) }, '2027-01-15T12:00:00.000Z'],
    [{ at: new Date(0) }, '1970-01-01T00:00:00.000Z'],
    [at('2027-03-01T09:00:00Z'), '2027-03-01T09:00:00.000Z'],
    [at('2027-03-01T09:00:00.5+02:00'), '2027-03-01T07:00:00.500Z'],
    [at('2027-03-01 09:00-0330'), '2027-03-01T12:30:00.000Z'],
    [at('2027-03-01T09:00+05'), '2027-03-01T04:00:00.000Z'],
    [at('2027-03-01T09:00:00.123999Z'), '2027-03-01T09:00:00.123Z'],
    [at('2028-02-29T00:00Z'), '2028-02-29T00:00:00.000Z'],
    [at('0001-01-01T00:00Z'), '0001-01-01T00:00:00.000Z'],
  ])('%o is %s', (when, instant) => {
    const due = dueOf(when, NOW);
    expect(due).toEqual({ at: Date.parse(instant) });
    expect(isWall(due)).toBe(false);
    expect(dueInstant(due)).toBe(Date.parse(instant));
  });
});

describe('U2: what is said as a wall time is kept as one', () => {
  test.each<[string, string, string, string]>([
    ['2027-03-01 09:00', 'Europe/Berlin', '2027-03-01T09:00:00.000', '2027-03-01T08:00:00.000Z'],
    ['2027-07-01T09:00:30', 'Europe/Berlin', '2027-07-01T09:00:30.000', '2027-07-01T07:00:30.000Z'],
    ['2027-07-01T09:00:30.25', 'UTC', '2027-07-01T09:00:30.250', '2027-07-01T09:00:30.250Z'],
    ['2027-07-01', 'America/New_York', '2027-07-01T00:00:00.000', '2027-07-01T04:00:00.000Z'],
    ['2027-03-28 02:30', 'Europe/Berlin', '2027-03-28T02:30:00.000', '2027-03-28T01:00:00.000Z'],
    ['2027-10-31 02:30', 'Europe/Berlin', '2027-10-31T02:30:00.000', '2027-10-31T00:30:00.000Z'],
  ])('%s in %s', (text, timezone, wall, instant) => {
    const due = dueOf(at(text, timezone), NOW);
    expect(due).toEqual({ wall, timezone });
    expect(isWall(due)).toBe(true);
    expect(new Date(dueInstant(due)).toISOString()).toBe(instant);
  });

  test('a record whose zone this host does not know is refused when it is resolved', () => {
    expect(() => dueInstant({ wall: '2027-03-01T09:00:00.000', timezone: 'Mars/Olympus' })).toThrow(
      expect.objectContaining({ code: 'E_ZONE' }),
    );
  });
});

describe('dueOf refuses', () => {
  test.each<[string, unknown, RegExp]>([
    ['both', { in: '5m', at: new Date(NOW) }, /both/],
    ['neither', {}, /Neither/],
    ['no object', '5m', /must be an object/],
    ['null', null, /must be an object/],
    ['a zone beside in', { in: '5m', timezone: 'UTC' }, /timezone means nothing beside in/],
    ['a zone beside a Date', { at: new Date(NOW), timezone: 'UTC' }, /beside a Date/],
    ['a zone beside an offset', at('2027-03-01T09:00Z', 'UTC'), /has an offset and timezone/],
    ['an invalid Date', { at: new Date(Number.NaN) }, /not one that a Date can hold/],
    ['30 February', at('2027-02-30T00:00Z'), /no calendar or clock/],
    ['30 February on a wall', at('2027-02-30', 'UTC'), /no calendar or clock/],
    ['29 February of no leap year', at('2027-02-29T00:00Z'), /no calendar or clock/],
    ['month 13', at('2027-13-01T00:00Z'), /no calendar or clock/],
    ['day 0', at('2027-01-00T00:00Z'), /no calendar or clock/],
    ['24:00', at('2027-01-01T24:00Z'), /no calendar or clock/],
    ['a leap second', at('2026-12-31T23:59:60Z'), /no calendar or clock/],
    ['an offset of a day', at('2027-01-01T00:00+24:00'), /offset that no clock has/],
    ['an offset of 60 minutes', at('2027-01-01T00:00+01:60'), /offset that no clock has/],
    ['a year out of range', at('+275761-01-01T00:00:00Z'), /not a time/],
    ['another text', at('tomorrow'), /not a time/],
    ['an empty text', at(''), /not a time/],
    ['an American date', at('03/01/2027 09:00', 'UTC'), /not a time/],
    ['a fraction of a minute', at('2027-01-01T00:00.5Z'), /not a time/],
    ['an offset without a time', at('2027-01-01Z'), /not a time/],
    ['a number', { at: NOW }, /not a time/],
    ['a long text', at('2'.repeat(1e6)), /not a time/],
  ])('%s', (_name, when, message) => {
    expect(() => dueOf(when as When, NOW)).toThrow(
      expect.objectContaining({ code: 'E_DUE', message: expect.stringMatching(message) }),
    );
  });

  test('a text that does not say its clock, and says what to add', () => {
    for (const text of ['2027-03-01T09:00:00', '2027-03-01 09:00', '2027-03-01']) {
      expect(() => dueOf(at(text), NOW)).toThrow(
        expect.objectContaining({ code: 'E_DUE', next: expect.stringMatching(/Add an offset .* or timezone/) }),
      );
    }
  });

  test('an in that leaves what a Date can hold', () => {
    expect(() => dueOf({ in: '1d' }, LAST_INSTANT)).toThrow(expect.objectContaining({ code: 'E_DUE' }));
    expect(dueOf({ in: '0s' }, LAST_INSTANT)).toEqual({ at: LAST_INSTANT });
  });

  test('with the code of what is wrong: a duration, a zone', () => {
    expect(() => dueOf({ in: 'soon' } as never, NOW)).toThrow(expect.objectContaining({ code: 'E_DURATION' }));
    expect(() => dueOf(at('2027-03-01', 'Mars/Olympus'), NOW)).toThrow(expect.objectContaining({ code: 'E_ZONE' }));
  });
});

test('what a Date writes, dueOf reads back', () => {
  const years = {
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  };
  fc.assert(
    fc.property(fc.date(years), (date) => {
      expect(dueOf({ at: date.toISOString() }, NOW)).toEqual({ at: date.getTime() });
      const wall = date.toISOString().slice(0, -1);
      expect(dueOf({ at: wall, timezone: 'UTC' }, NOW)).toEqual({ wall, timezone: 'UTC' });
      expect(dueInstant({ wall, timezone: 'UTC' })).toBe(date.getTime());
    }),
  );
});
