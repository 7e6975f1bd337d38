// What clock changes do to the rules that people write, in seven zones, both ways: what a user would call right.

import { describe, expect, test } from 'vitest';
import { parseRule } from './rule.js';
import type { Dst } from './spec.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What the zone's clock shows at the slots, from an hour before the change to an hour and a half after it. */
function shownAt(cron: string, timezone: string, changeMs: number, dst: Dst): string {
  const rule = parseRule({ cron, timezone, dst }, 'test');
  const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, timeStyle: 'short' });
  const shown: string[] = [];
  let slot = rule.next(changeMs - HOUR_MS - 1);
  while (slot !== undefined && slot <= changeMs + 1.5 * HOUR_MS) {
    shown.push(clock.format(slot));
    slot = rule.next(slot);
  }
  return shown.join(' ');
}

/** A zone, the first instant after a change, and in the change a time of the day. */
type Change = readonly [timezone: string, change: string, time: string];
interface Expected {
  readonly half: string;
  readonly hourly: string;
  readonly once: string;
  readonly literal: string;
  readonly half2: string;
  /** `half2`, or else this, if taken literally. */
  readonly half2Literal?: string;
  readonly hourlyLiteral?: string;
}

const TABLE: readonly (readonly [...Change, Expected])[] = [
  [
    'Europe/Berlin',
    '2027-03-28T01:00Z',
    '02:30',
    {
      half: '01:00 01:30 03:00 03:30 04:00 04:30',
      hourly: '01:00 03:00 04:00',
      once: '03:00',
      literal: '',
      half2: '03:00',
      half2Literal: '',
    },
  ],
  [
    'Europe/Berlin',
    '2027-10-31T01:00Z',
    '02:30',
    {
      half: '02:00 02:30 02:00 02:30 03:00 03:30',
      hourly: '02:00 02:00 03:00',
      once: '02:30',
      literal: '02:30 02:30',
      half2: '02:30',
      half2Literal: '02:30 02:30',
    },
  ],
  [
    'Europe/London',
    '2027-03-28T01:00Z',
    '01:30',
    {
      half: '00:00 00:30 02:00 02:30 03:00 03:30',
      hourly: '00:00 02:00 03:00',
      once: '02:00',
      literal: '',
      half2: '02:30',
    },
  ],
  [
    'Europe/London',
    '2027-10-31T01:00Z',
    '01:30',
    {
      half: '01:00 01:30 01:00 01:30 02:00 02:30',
      hourly: '01:00 01:00 02:00',
      once: '01:30',
      literal: '01:30 01:30',
      half2: '02:30',
    },
  ],
  [
    'America/New_York',
    '2027-03-14T07:00Z',
    '02:30',
    {
      half: '01:00 01:30 03:00 03:30 04:00 04:30',
      hourly: '01:00 03:00 04:00',
      once: '03:00',
      literal: '',
      half2: '03:00',
      half2Literal: '',
    },
  ],
  [
    'America/New_York',
    '2027-11-07T06:00Z',
    '01:30',
    {
      half: '01:00 01:30 01:00 01:30 02:00 02:30',
      hourly: '01:00 01:00 02:00',
      once: '01:30',
      literal: '01:30 01:30',
      half2: '02:30',
    },
  ],
  [
    'Australia/Sydney',
    '2027-10-02T16:00Z',
    '02:30',
    {
      half: '01:00 01:30 03:00 03:30 04:00 04:30',
      hourly: '01:00 03:00 04:00',
      once: '03:00',
      literal: '',
      half2: '03:00',
      half2Literal: '',
    },
  ],
  [
    'Australia/Sydney',
    '2027-04-03T16:00Z',
    '02:30',
    {
      half: '02:00 02:30 02:00 02:30 03:00 03:30',
      hourly: '02:00 02:00 03:00',
      once: '02:30',
      literal: '02:30 02:30',
      half2: '02:30',
      half2Literal: '02:30 02:30',
    },
  ],
  // The clock goes from 02:00 to 02:30, so there is an hour 2, if a short one; then from 02:00 back to 01:30.
  [
    'Australia/Lord_Howe',
    '2027-10-02T15:30Z',
    '02:15',
    {
      half: '01:00 01:30 02:30 03:00 03:30 04:00',
      hourly: '01:00 02:30 03:00 04:00',
      hourlyLiteral: '01:00 03:00 04:00',
      once: '02:30',
      literal: '',
      half2: '02:30',
    },
  ],
  [
    'Australia/Lord_Howe',
    '2027-04-03T15:00Z',
    '01:45',
    {
      half: '01:00 01:30 01:30 02:00 02:30 03:00',
      hourly: '01:00 02:00 03:00',
      once: '01:45',
      literal: '01:45 01:45',
      half2: '02:30',
    },
  ],
  [
    'America/Havana',
    '2027-03-14T05:00Z',
    '00:30',
    {
      half: '23:00 23:30 01:00 01:30 02:00 02:30',
      hourly: '23:00 01:00 02:00',
      once: '01:00',
      literal: '',
      half2: '02:30',
    },
  ],
  [
    'America/Havana',
    '2027-11-07T05:00Z',
    '00:30',
    {
      half: '00:00 00:30 00:00 00:30 01:00 01:30',
      hourly: '00:00 00:00 01:00',
      once: '00:30',
      literal: '00:30 00:30',
      half2: '',
    },
  ],
  [
    'Asia/Tehran',
    '2022-03-21T20:30Z',
    '00:30',
    {
      half: '23:00 23:30 01:00 01:30 02:00 02:30',
      hourly: '23:00 01:00 02:00',
      once: '01:00',
      literal: '',
      half2: '02:30',
    },
  ],
  [
    'Asia/Tehran',
    '2022-09-21T19:30Z',
    '23:30',
    {
      half: '23:00 23:30 23:00 23:30 00:00 00:30',
      hourly: '23:00 23:00 00:00',
      once: '23:30',
      literal: '23:30 23:30',
      half2: '',
    },
  ],
];

describe.each(TABLE)('%s, change at %s', (timezone, change, time, expected) => {
  const changeMs = Date.parse(change);
  const at = (cron: string, dst: Dst): string => shownAt(cron, timezone, changeMs, dst);
  const daily = `${Number(time.slice(3))} ${Number(time.slice(0, 2))} * * *`;

  test('is one', () => {
    const clock = new Intl.DateTimeFormat('en', { timeZone: timezone, timeZoneName: 'longOffset' });
    expect(clock.format(changeMs)).not.toBe(clock.format(changeMs - 1));
  });

  test.each<Dst>(['once', 'literal'])('C2, minutely runs every minute (%s)', (dst) => {
    const rule = parseRule({ cron: '* * * * *', timezone, dst }, 'test');
    for (let ms = changeMs - 2 * HOUR_MS; ms < changeMs + 2 * HOUR_MS; ms += MINUTE_MS) {
      expect(rule.next(ms)).toBe(ms + MINUTE_MS);
    }
  });

  test('C2, C3: */30 runs every half hour', () => {
    expect(at('*/30 * * * *', 'once')).toBe(expected.half);
    expect(at('*/30 * * * *', 'literal')).toBe(expected.half);
  });

  test('C2, C3: hourly', () => {
    expect(at('0 * * * *', 'once')).toBe(expected.hourly);
    expect(at('0 * * * *', 'literal')).toBe(expected.hourlyLiteral ?? expected.hourly);
  });

  test('C1, C3: at 02:30', () => {
    expect(at('30 2 * * *', 'once')).toBe(expected.half2);
    expect(at('30 2 * * *', 'literal')).toBe(expected.half2Literal ?? expected.half2);
  });

  test(`C1, C3: at ${time}`, () => {
    expect(at(daily, 'once')).toBe(expected.once);
    expect(at(daily, 'literal')).toBe(expected.literal);
  });
});

describe('further', () => {
  test('C1: a daily rule has one slot for each date, whatever the clock does', () => {
    for (const [timezone, , time] of TABLE) {
      const rule = parseRule({ cron: `${Number(time.slice(3))} ${Number(time.slice(0, 2))} * * *`, timezone }, 'test');
      const date = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short' });
      const dates: string[] = [];
      for (let slot = rule.next(Date.UTC(2020, 0, 1))!; slot < Date.UTC(2030, 0, 1); slot = rule.next(slot)!) {
        dates.push(date.format(slot));
      }
      const days = (Date.parse(dates.at(-1)!) - Date.parse(dates[0]!)) / 86_400_000 + 1;
      expect([timezone, new Set(dates).size, dates.length]).toEqual([timezone, days, days]);
    }
  });

  test('C1: a whole day that a zone skipped means its end', () => {
    const rule = parseRule({ cron: '0 9 * * *', timezone: 'Pacific/Apia' }, 'test');
    expect(new Date(rule.next(Date.parse('2011-12-29T20:00Z'))!).toISOString()).toBe('2011-12-30T10:00:00.000Z');
    expect(new Date(rule.next(Date.parse('2011-12-30T10:00Z'))!).toISOString()).toBe('2011-12-30T19:00:00.000Z');
  });

  test('C1: slots that fall together in a gap are one', () => {
    const rule = parseRule({ cron: '*/15 2 * * *', timezone: 'Europe/Berlin' }, 'test');
    const gapMs = Date.parse('2027-03-28T01:00Z');
    expect(rule.next(gapMs - 1)).toBe(gapMs);
    expect(rule.next(gapMs)).toBe(Date.parse('2027-03-29T00:00Z'));
  });

  test('C3: the second pass is found although the next date is years away', () => {
    const rule = parseRule({ cron: '30 2 31 10 0', timezone: 'Europe/Berlin', dst: 'literal' }, 'test');
    expect(rule.next(Date.parse('2027-10-31T00:30Z'))).toBe(Date.parse('2027-10-31T01:30Z'));
  });
});
