import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkTimezone, instantOfWall, type WallTime } from './zone.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

// The oracle knows nothing of offsets: it asks Intl what the wall clock shows, as a text that sorts like time.
const clocks = new Map<string, Intl.DateTimeFormat>();
const shows = (timezone: string, at: number): string => {
  let clock = clocks.get(timezone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' });
    clocks.set(timezone, clock);
  }
  return clock.format(at);
};

const wallOf = (text: string): WallTime => {
  const [year, month, day, hour, minute, second] = text.split(/[- :]/).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  return { year, month, day, hour, minute, second, ms: 0 };
};
const textOf = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

describe('instantOfWall', () => {
  test.each<[string, string, string, string]>([
    ['in winter', 'Europe/Berlin', '2027-01-15 09:00:00', '2027-01-15T08:00:00.000Z'],
    ['in summer', 'Europe/Berlin', '2027-07-15 09:00:00', '2027-07-15T07:00:00.000Z'],
    ['Z1', 'Europe/Berlin', '2027-03-28 02:30:00', '2027-03-28T01:00:00.000Z'],
    ['Z2', 'Europe/Berlin', '2027-10-31 02:30:00', '2027-10-31T00:30:00.000Z'],
    ['Z1, 30 minutes', 'Australia/Lord_Howe', '2027-10-03 02:15:00', '2027-10-02T15:30:00.000Z'],
    ['Z2, 30 minutes', 'Australia/Lord_Howe', '2027-04-04 01:45:00', '2027-04-03T14:45:00.000Z'],
    ['Z1, midnight', 'America/Havana', '2027-03-14 00:00:00', '2027-03-14T05:00:00.000Z'],
    ['Z2, midnight', 'America/Havana', '2027-11-07 00:30:00', '2027-11-07T04:30:00.000Z'],
    ['Z1, old rules', 'Asia/Tehran', '2022-03-22 00:30:00', '2022-03-21T20:30:00.000Z'],
    ['rules given up', 'Asia/Tehran', '2027-03-22 00:30:00', '2027-03-21T21:00:00.000Z'],
    ['Z1', 'America/New_York', '2027-03-14 02:30:00', '2027-03-14T07:00:00.000Z'],
    ['Z2', 'America/New_York', '2027-11-07 01:30:00', '2027-11-07T05:30:00.000Z'],
    ['Z1, a day that never was', 'Pacific/Apia', '2011-12-30 12:00:00', '2011-12-30T10:00:00.000Z'],
    ['an offset with seconds', 'Africa/Monrovia', '1970-01-01 00:00:00', '1970-01-01T00:44:30.000Z'],
    ['the first year', 'UTC', '0000-01-01 00:00:00', '0000-01-01T00:00:00.000Z'],
  ])('%s: in %s %s is %s', (_rule, timezone, wall, instant) => {
    expect(new Date(instantOfWall(wallOf(wall), timezone)).toISOString()).toBe(instant);
  });

  test('keeps the milliseconds', () => {
    const wall = { ...wallOf('2027-07-15 09:00:00'), ms: 789 };
    expect(instantOfWall(wall, 'Europe/Berlin')).toBe(Date.UTC(2027, 6, 15, 7, 0, 0, 789));
  });

  // Each wall minute around a change, against a scan of all minutes for the first that shows it or a later time (Z3).
  test.each<[string, string]>([
    ['Europe/Berlin', '2027-03-28T01:00Z'],
    ['Europe/Berlin', '2027-10-31T01:00Z'],
    ['Europe/Dublin', '2027-10-31T01:00Z'],
    ['Australia/Lord_Howe', '2027-10-02T15:30Z'],
    ['Australia/Lord_Howe', '2027-04-03T15:00Z'],
    ['America/Havana', '2027-03-14T05:00Z'],
    ['America/Havana', '2027-11-07T05:00Z'],
    ['Asia/Tehran', '2022-03-21T20:30Z'],
    ['Asia/Tehran', '2022-09-21T19:30Z'],
    ['America/New_York', '2027-03-14T07:00Z'],
    ['America/New_York', '2027-11-07T06:00Z'],
    ['Antarctica/Troll', '2027-03-28T01:00Z'],
    ['Africa/Casablanca', '2026-02-15T02:00Z'],
    ['Pacific/Apia', '2011-12-30T10:00Z'],
    ['Asia/Kathmandu', '1985-12-31T18:30Z'],
  ])('%s around %s is as a scan finds it', (timezone, change) => {
    const from = Date.parse(change) - 28 * HOUR_MS;
    const minutes = Array.from({ length: 56 * 60 }, (_, minute) => from + minute * MINUTE_MS);
    const shown = minutes.map((at) => shows(timezone, at));
    const changes = minutes.filter((at, i) => i > 0 && wallMs(shown[i]!) - wallMs(shown[i - 1]!) !== MINUTE_MS);
    expect(changes).toEqual([Date.parse(change)]);

    const middle = wallMs(shows(timezone, Date.parse(change)));
    for (let wall = middle - 26 * HOUR_MS; wall < middle + 4 * HOUR_MS; wall += MINUTE_MS) {
      const text = textOf(wall);
      const first = minutes[shown.findIndex((other) => other >= text)];
      expect(instantOfWall(wallOf(text), timezone), text).toBe(first);
    }
  });

  test('Z3: in any zone and year, the clock has reached the wall time then, and never before', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
        fc.integer({ min: Date.UTC(1900, 0) / 1_000, max: Date.UTC(2040, 0) / 1_000 }),
        (timezone, seconds) => {
          const text = textOf(seconds * 1_000);
          const at = instantOfWall(wallOf(text), timezone);
          expect(shows(timezone, at) >= text).toBe(true);
          for (let before = at - 1; before > at - 32 * HOUR_MS; before -= 15 * MINUTE_MS) {
            expect(shows(timezone, before) < text).toBe(true);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('checkTimezone', () => {
  test.each(['Europe/Berlin', 'UTC', 'Etc/GMT+5', 'America/Argentina/Buenos_Aires', 'Asia/Calcutta', 'europe/berlin'])(
    'takes %s',
    (timezone) => {
      expect(() => checkTimezone(timezone)).not.toThrow();
    },
  );

  test.each<unknown>([
    '',
    'Mars/Olympus',
    'Europe',
    '+02:00',
    '-0200',
    'Asia/Bang\u212Aok',
    undefined,
    null,
    5,
    {},
    'x'.repeat(1e6),
  ])('refuses %o', (timezone) => {
    checkTimezone('Asia/Bangkok');
    expect(() => checkTimezone(timezone as string)).toThrow(
      expect.objectContaining({ code: 'E_ZONE', next: expect.stringContaining("'Europe/Berlin'") }),
    );
  });

  test('instantOfWall refuses them too', () => {
    expect(() => instantOfWall(wallOf('2027-01-01 00:00:00'), 'Mars/Olympus')).toThrow(
      expect.objectContaining({ code: 'E_ZONE' }),
    );
  });
});

function wallMs(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`);
}
