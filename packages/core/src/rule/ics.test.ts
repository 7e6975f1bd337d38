import { describe, expect, test } from 'vitest';
import { datesOfIcs } from './ics.js';

const calendar = (...events: string[][]): string =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'BEGIN:VTIMEZONE',
    'DTSTART:19701025T030000',
    'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
    'END:VTIMEZONE',
    ...events.flatMap((event) => ['BEGIN:VEVENT', ...event, 'END:VEVENT']),
    'END:VCALENDAR',
  ].join('\r\n');
const dates = (...event: string[]): readonly string[] => datesOfIcs(calendar(event), 'x');

describe('S1: the days of all-day events', () => {
  test.each<[string, string[], string[]]>([
    ['a day', ['DTSTART;VALUE=DATE:20271225'], ['2027-12-25']],
    [
      'DTEND is no longer meant',
      ['DTSTART;VALUE=DATE:20271225', 'DTEND;VALUE=DATE:20271227'],
      ['2027-12-25', '2027-12-26'],
    ],
    ['an end equal to the start', ['DTSTART:20271225', 'DTEND:20271225'], ['2027-12-25']],
    ['over the end of a year', ['DTSTART:20271231', 'DURATION:P2D'], ['2027-12-31', '2028-01-01']],
    ['cancelled', ['DTSTART:20271225', 'STATUS:CANCELLED'], []],
    [
      'folded lines, other properties, small letters',
      ['summary;LANGUAGE=de:Weih', ' nachten: ja', 'dtstart;value=date:2027', '\t1225'],
      ['2027-12-25'],
    ],
    ['an alarm within', ['DTSTART:20271225', 'BEGIN:VALARM', 'DURATION:PT5M', 'RRULE:x', 'END:VALARM'], ['2027-12-25']],
  ])('%s', (_what, event, expected) => {
    expect(dates(...event)).toEqual(expected);
  });

  test('of several events, sorted and each once', () => {
    const text = calendar(['DTSTART:20280101'], ['DTSTART:20271225'], ['DTSTART:20271224', 'DTEND:20271226']);
    expect(datesOfIcs(text, 'x')).toEqual(['2027-12-24', '2027-12-25', '2028-01-01']);
    expect(datesOfIcs(text.replaceAll('\r\n', '\n'), 'x')).toHaveLength(3);
    expect(datesOfIcs(calendar(), 'x')).toEqual([]);
  });

  test.each<[string, string[], string]>([
    [
      'recurring',
      ['SUMMARY:Christmas', 'DTSTART:20271225', 'RRULE:FREQ=YEARLY'],
      "'Christmas' in ics of x recurs (RRULE)",
    ],
    ['recurring on dates', ['UID:7', 'DTSTART:20271225', 'RDATE:20281225'], "'7' in ics of x recurs (RDATE)"],
    ['with a time', ['DTSTART:20271225T090000Z'], 'does not start on a date'],
    ['without a start', ['SUMMARY:x'], 'does not start on a date'],
    ['on a day that is none', ['DTSTART:20270229'], 'does not start on a date'],
    ['ending at a time', ['DTSTART:20271225', 'DTEND:20271225T120000'], 'does not end on a date'],
    ['ending before it starts', ['DTSTART:20271225', 'DTEND:20271224'], 'does not end on a date'],
    ['as long as hours', ['DTSTART:20271225', 'DURATION:PT5H'], 'does not end on a date'],
    ['longer than a year', ['DTSTART:20271225', 'DTEND:20301225'], 'more than a year'],
  ])('%s: refused', (_what, event, message) => {
    expect(() => dates(...event)).toThrow(message);
    expect(() => dates(...event)).toThrow('[E_RULE]');
  });

  test.each<[unknown]>([
    [undefined],
    [5],
    [''],
    ['./holidays.ics'],
    ['BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20271225'],
  ])('no calendar: %o', (text) => {
    expect(() => datesOfIcs(text, 'x')).toThrow('[E_RULE]');
  });

  test('too long to read', () => {
    expect(() => datesOfIcs(`BEGIN:VCALENDAR\n${' '.repeat(1_000_000)}`, 'x')).toThrow('1000000 characters');
  });
});
