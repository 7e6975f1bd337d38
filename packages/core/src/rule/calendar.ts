// Calendar: field lists as objects, read into values, and their one spelling.
//
// K1  All fields must match; ranges include both ends.
// K2  What is left out: second, minute and hour are 0, the others match anything. Under skip everything does, for what
//     is skipped is a stretch of time: `{ month: 12, dayOfMonth: 25 }` means the whole day.

import { shown } from '../time/shown.js';
import type { MonthDay, WeekDay } from './month-days.js';
import { refusal } from './refusal.js';
import type { CalendarSpec, Range } from './spec.js';
import { LAST_YEAR, type WallFields } from './wall-pattern.js';

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const MONTHS = [
  '',
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
/** The fields with their bounds, in the order of their spelling. */
const BOUNDS = {
  second: [0, 59],
  minute: [0, 59],
  hour: [0, 23],
  dayOfMonth: [1, 31],
  month: [1, 12],
  year: [1970, LAST_YEAR],
  dayOfWeek: [0, 7],
} as const;
type FieldName = keyof typeof BOUNDS;
const MOST_ITEMS = 100;

/** The values of a calendar's fields. With `anyTime`, what is left out matches anything (K2). */
export function parseCalendar(spec: CalendarSpec, what: string, anyTime = false): WallFields {
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec) || Object.keys(spec).length === 0) {
    throw refusal(
      `${what} is not an object with fields: ${shown(spec)}.`,
      "Write { hour: 9, dayOfWeek: ['mon', 'thu'] }.",
    );
  }
  for (const field of Object.keys(spec)) {
    if (!Object.hasOwn(BOUNDS, field)) {
      throw refusal(`${what} has no field ${shown(field)}.`, `It takes ${Object.keys(BOUNDS).join(', ')}.`);
    }
  }
  const numbers = (field: FieldName): readonly number[] | undefined => values(spec, field, what);
  const time = (field: 'second' | 'minute' | 'hour'): readonly number[] =>
    numbers(field) ?? (anyTime || spec[field] !== undefined ? everyOf(field) : [0]);
  return {
    second: time('second'),
    minute: time('minute'),
    hour: time('hour'),
    dayOfMonth: values<MonthDay>(spec, 'dayOfMonth', what, monthDay),
    month: numbers('month') ?? everyOf('month'),
    year: numbers('year'),
    dayOfWeek: values<WeekDay>(spec, 'dayOfWeek', what, weekDay),
    both: 'all',
  };
}

/** The spec with each field as a sorted list of what it means, so that equal calendars are spelt the same. */
export function tidyCalendar(spec: CalendarSpec, what: string): CalendarSpec {
  const { dayOfMonth, dayOfWeek, ...fields } = parseCalendar(spec, what);
  const tidy: Record<string, unknown> = {};
  for (const field of Object.keys(BOUNDS) as FieldName[]) {
    if (spec[field] === undefined) continue;
    const days = field === 'dayOfMonth' ? dayOfMonth : field === 'dayOfWeek' ? dayOfWeek : fields[field];
    const [first, last] = BOUNDS[field];
    const all = days === undefined || (days.length === last - first + 1 && days.every(isNumber));
    tidy[field] = all ? '*' : days.map((day) => spelt(day));
  }
  return tidy;
}

function isNumber(day: MonthDay | WeekDay): day is number {
  return typeof day === 'number';
}

function spelt(day: MonthDay | WeekDay): unknown {
  if (typeof day === 'number' || !('beforeLast' in day)) return day;
  return 'last';
}

function everyOf(field: FieldName): readonly number[] {
  const [first, last] = BOUNDS[field];
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** What a field means: sorted numbers, then what is special; `undefined` for a field that matches anything. */
function values<Special = never>(
  spec: CalendarSpec,
  field: FieldName,
  what: string,
  special: (item: object | string) => Special | undefined = () => undefined,
): readonly (number | Special)[] | undefined {
  const given = spec[field] as unknown;
  if (given === undefined || given === '*') return undefined;
  const items: readonly unknown[] = Array.isArray(given) ? given : [given];
  const bad = (): Error => refusal(`${field} of ${what} cannot be read: ${shown(given)}.`, NEXT[field]);
  if (items.length === 0 || items.length > MOST_ITEMS) throw bad();
  const numbers = new Set<number>();
  const specials = new Map<string, Special>();
  for (const item of items) {
    const meant = typeof item === 'string' || (typeof item === 'object' && item !== null) ? special(item) : undefined;
    if (meant !== undefined) specials.set(JSON.stringify(meant), meant);
    else for (const number of rangeOf(item, field) ?? [NaN]) numbers.add(number);
  }
  if (numbers.has(NaN)) throw bad();
  return [
    ...[...numbers].toSorted((a, b) => a - b),
    ...[...specials].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, meant]) => meant),
  ];
}

/** The numbers of one value or range; `undefined` if it is neither. */
function rangeOf(item: unknown, field: FieldName): readonly number[] | undefined {
  const range: Range<unknown> =
    typeof item === 'object' && item !== null && 'from' in item && 'to' in item ? item : { from: item, to: item };
  const from = numberOf(range.from, field);
  const until = numberOf(range.to, field);
  const to = field === 'dayOfWeek' && until === 0 && from !== 0 ? 7 : until; // Friday to Sunday
  const step = range.step ?? 1;
  if (from === undefined || to === undefined || !Number.isInteger(step) || step < 1 || from > to) return undefined;
  const numbers: number[] = [];
  for (let value = from; value <= to; value += step) numbers.push(field === 'dayOfWeek' ? value % 7 : value);
  return numbers;
}

function numberOf(value: unknown, field: FieldName): number | undefined {
  const [first, last] = BOUNDS[field];
  if (typeof value === 'number') return Number.isInteger(value) && value >= first && value <= last ? value : undefined;
  const names = field === 'dayOfWeek' ? WEEKDAYS : field === 'month' ? MONTHS : [];
  const name = typeof value === 'string' ? value.toLowerCase() : '';
  const index = names.findIndex((full) => name === full || (name.length === 3 && name === full.slice(0, 3)));
  return index < first ? undefined : index;
}

function monthDay(item: object | string): MonthDay | undefined {
  if (item === 'last') return { beforeLast: 0 };
  if (typeof item === 'string' || !('nearestWeekday' in item)) return undefined;
  if (item.nearestWeekday === 'last') return { nearestWeekday: 'last' };
  const day = numberOf(item.nearestWeekday, 'dayOfMonth');
  return day === undefined ? undefined : { nearestWeekday: day };
}

function weekDay(item: object | string): WeekDay | undefined {
  if (typeof item === 'string' || !('nth' in item) || !('weekday' in item)) return undefined;
  const weekday = numberOf(item.weekday, 'dayOfWeek');
  const nth = item.nth === 'last' ? 'last' : Number(item.nth);
  if (weekday === undefined || (nth !== 'last' && ![1, 2, 3, 4, 5].includes(nth))) return undefined;
  return { nth, weekday: weekday % 7 };
}

const numberHint = (field: FieldName): string =>
  `Write numbers from ${BOUNDS[field][0]} to ${BOUNDS[field][1]}, { from, to, step }, a list of both, or '*'.`;
const NEXT: Record<FieldName, string> = {
  second: numberHint('second'),
  minute: numberHint('minute'),
  hour: numberHint('hour'),
  year: numberHint('year'),
  month: `${numberHint('month')} Names are fine: 'march', 'mar'.`,
  dayOfMonth: `${numberHint('dayOfMonth')} Also 'last' and { nearestWeekday: 15 }.`,
  dayOfWeek: `${numberHint('dayOfWeek')} Names are fine: 'friday', 'fri'. Also { nth: 2, weekday: 'fri' }, { nth: 'last', … }.`,
};
