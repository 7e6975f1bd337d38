// Cron: the text of a cron, read into the values of its fields.
//
// N1  Five fields; six begin with seconds; seven also end with years. A day matches either of day-of-month and
//     day-of-week if both are restricted, that is, neither is `*` nor `?`.
// N2  cron-parser reads values, ranges, steps and names. `L`, `W`, `#` and years are read here, and whatever has more
//     than one reading is refused before it is asked (`1-5-9`, a weekday's name as a month).
// N3  Reading takes time linear in a text of at most 256 characters, and draws nothing: `H` is refused.

import { CronExpressionParser } from 'cron-parser';
import { shown } from '../time/shown.js';
import type { MonthDay, WeekDay } from './month-days.js';
import { refusal } from './refusal.js';
import { LAST_YEAR, type WallFields } from './wall-pattern.js';

const LONGEST = 256;
const FIRST_YEAR = 1970;
const FORMS = "Write 5 fields ('0 9 * * 1-5'), 6 with seconds first, 7 with years last, or '@daily'.";
const EVERY_DAY = ['0', '0', '0', '*', '*', '*', '*'];
const WORDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['@YEARLY', ['0', '0', '0', '1', '1', '*', '*']],
  ['@ANNUALLY', ['0', '0', '0', '1', '1', '*', '*']],
  ['@MONTHLY', ['0', '0', '0', '1', '*', '*', '*']],
  ['@WEEKLY', ['0', '0', '0', '*', '*', '0', '*']],
  ['@DAILY', EVERY_DAY],
  ['@MIDNIGHT', EVERY_DAY],
  ['@WEEKDAYS', ['0', '0', '0', '*', '*', '1-5', '*']],
  ['@WEEKENDS', ['0', '0', '0', '*', '*', '0,6', '*']],
  ['@HOURLY', ['0', '0', '*', '*', '*', '*', '*']],
  ['@MINUTELY', ['0', '*', '*', '*', '*', '*', '*']],
  ['@SECONDLY', ['*', '*', '*', '*', '*', '*', '*']],
]);

type ParsedField = 'second' | 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek';
const ORDER: readonly ParsedField[] = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'];
const NUMBERS = String.raw`\d{1,2}`;
const DAY_NAME = 'SUN|MON|TUE|WED|THU|FRI|SAT';
const MONTH_NAME = 'JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC';
const itemOf = (value: string): RegExp => new RegExp(`^(?:\\*|(?:${value})(?:-(?:${value}))?)(?:/\\d{1,4})?$`);
const ITEM: Record<ParsedField, RegExp> = {
  second: itemOf(NUMBERS),
  minute: itemOf(NUMBERS),
  hour: itemOf(NUMBERS),
  dayOfMonth: itemOf(NUMBERS),
  month: itemOf(`${NUMBERS}|${MONTH_NAME}`),
  dayOfWeek: itemOf(`[0-7]|${DAY_NAME}`),
};

/** A cron as its record keeps it: one spelling for all that differ in blanks and case only. */
export function tidyCron(text: unknown, what: string): string {
  if (typeof text !== 'string') throw refusal(`${what} is not a text: ${shown(text)}.`, FORMS);
  if (text.length > LONGEST) throw refusal(`${what} has more than ${LONGEST} characters.`, FORMS);
  return text.trim().split(/\s+/).join(' ').toUpperCase();
}

/** The fields of a cron in its tidy spelling. With `anySecond`, five fields match every second of their minutes. */
export function parseCron(cron: string, what: string, anySecond = false): WallFields {
  const fields = WORDS.get(cron) ?? sevenFields(cron, anySecond);
  if (fields === undefined) throw refusal(`${what} is not a cron: ${shown(cron)}.`, FORMS);
  const bad = (field: string, text: string, next: string, cause?: unknown): Error =>
    refusal(`The ${field} of ${what} cannot be read: ${shown(text)}.`, next, cause);

  const valuesOf = (field: ParsedField, items: readonly string[]): readonly number[] => {
    const values = new Set<number>();
    for (const item of items) {
      try {
        for (const value of itemValues(field, item)) values.add(value);
      } catch (cause) {
        throw bad(field, item, NEXT[field], cause);
      }
    }
    return [...values].toSorted((a, b) => a - b);
  };
  const [second, minute, hour, dayOfMonth, month, dayOfWeek, year] = fields.map((field) => field.split(',')) as [
    string[],
    string[],
    string[],
    string[],
    string[],
    string[],
    string[],
  ];
  return {
    second: valuesOf('second', second),
    minute: valuesOf('minute', minute),
    hour: valuesOf('hour', hour),
    dayOfMonth: isAny(dayOfMonth) ? undefined : split(dayOfMonth, monthDay, (plain) => valuesOf('dayOfMonth', plain)),
    month: valuesOf('month', month),
    dayOfWeek: isAny(dayOfWeek)
      ? undefined
      : split<WeekDay>(
          dayOfWeek,
          (item) => weekDay(item, (day) => valuesOf('dayOfWeek', [day])[0]!),
          (plain) => valuesOf('dayOfWeek', plain),
        ),
    both: 'any',
    year: year[0] === '*' && year.length === 1 ? undefined : yearsOf(year, (item) => bad('year', item, NEXT_YEAR)),
  };
}

/** Items that have been read: crons say the same few over and over, and cron-parser takes its time. */
const read = new Map<string, readonly number[]>();
const MOST_READ = 1000;

/** The values of one item of a list (N2). Throws for what it does not know. */
function itemValues(field: ParsedField, item: string): readonly number[] {
  const known = read.get(`${field} ${item}`);
  if (known !== undefined) return known;
  if (!ITEM[field].test(item)) throw new SyntaxError(`not a value, a range or a step: ${item}`);
  const asked = field === 'dayOfWeek' ? item.replace(/-SUN\b/, '-7') : item;
  const alone = ORDER.map((other) => (other === field ? asked : '*')).join(' ');
  const parsed = CronExpressionParser.parse(alone, { currentDate: 0, tz: 'UTC', hashSeed: 'none' }).fields[field]
    .values;
  const values = parsed.map((value) => (field === 'dayOfWeek' ? Number(value) % 7 : Number(value)));
  if (read.size < MOST_READ) read.set(`${field} ${item}`, values);
  return values;
}

function sevenFields(cron: string, anySecond: boolean): readonly string[] | undefined {
  const fields = cron.split(' ');
  if (fields.length === 7) return fields;
  if (fields.length === 6) return [...fields, '*'];
  return fields.length === 5 ? [anySecond ? '*' : '0', ...fields, '*'] : undefined;
}

const isAny = (items: readonly string[]): boolean => items.length === 1 && (items[0] === '*' || items[0] === '?');

/** The items that `special` understands, and the values of the rest. */
function split<Day>(
  items: readonly string[],
  special: (item: string) => Day | undefined,
  valuesOf: (plain: readonly string[]) => readonly Day[],
): readonly Day[] {
  const days = items.map((item) => special(item));
  return [
    ...valuesOf(items.filter((_, index) => days[index] === undefined)),
    ...days.filter((day) => day !== undefined),
  ];
}

/** `L`, `L-3`, `15W`, `LW`. */
function monthDay(item: string): MonthDay | undefined {
  if (item === 'L') return { beforeLast: 0 };
  if (item === 'LW') return { nearestWeekday: 'last' };
  const before = /^L-(\d|[12]\d|30)$/.exec(item)?.[1];
  if (before !== undefined) return { beforeLast: Number(before) };
  const nearest = /^([1-9]|[12]\d|3[01])W$/.exec(item)?.[1];
  return nearest === undefined ? undefined : { nearestWeekday: Number(nearest) };
}

/** `5L`, `FRIL`, `5#2`, `FRI#L`. */
function weekDay(item: string, weekdayOf: (text: string) => number): WeekDay | undefined {
  const [, day, nth] = /^(\w{1,3}?)(?:#([1-5L])|L)$/.exec(item) ?? [];
  if (day === undefined) return undefined;
  return { weekday: weekdayOf(day), nth: nth === undefined || nth === 'L' ? 'last' : Number(nth) };
}

function yearsOf(items: readonly string[], bad: (item: string) => Error): readonly number[] {
  const years = new Set<number>();
  for (const item of items) {
    const [, any, from, to, step] = /^(?:(\*)|(\d{4})(?:-(\d{4}))?)(?:\/(\d{1,4}))?$/.exec(item) ?? [];
    const first = any === undefined ? Number(from) : FIRST_YEAR;
    const last = any !== undefined || (to === undefined && step !== undefined) ? LAST_YEAR : Number(to ?? from);
    const by = Number(step ?? 1);
    if (!(first >= FIRST_YEAR && first <= last) || by === 0) throw bad(item);
    for (let year = first; year <= last; year += by) years.add(year);
  }
  return [...years].toSorted((a, b) => a - b);
}

const NEXT_YEAR = "Write years from 1970 to 9999: '2027', '2027-2030', '2028/4'.";
const NEXT: Record<ParsedField, string> = {
  second:
    "Write seconds from 0 to 59: '0', '*/15', '10-20', '0,30'. To spread schedules write the option spread, not H.",
  minute:
    "Write minutes from 0 to 59: '0', '*/15', '10-20', '0,30'. To spread schedules write the option spread, not H.",
  hour: "Write hours from 0 to 23, a range from the lower to the higher: '9', '*/2', '9-17', '22-23,0-2'.",
  dayOfMonth: "Write days from 1 to 31, 'L' (the last), 'L-3', '15W' (the weekday nearest to the 15th) or 'LW'.",
  month: 'Write months from 1 to 12 or JAN to DEC, a range from the lower to the higher.',
  dayOfWeek:
    "Write weekdays from 0 to 7 (0 and 7 are Sunday) or SUN to SAT, a range from the lower to the higher, '5#2' (the " +
    "second Friday) or '5L' (the last).",
};
