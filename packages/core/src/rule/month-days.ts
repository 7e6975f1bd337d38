// MonthDays: which days a rule means, in a month of a given length that begins on a given weekday. There are 28 kinds of
// months, so each kind is worked out once.

/** What a rule says about days, with names already turned into numbers (0 is Sunday). */
export interface DayFields {
  /** `undefined`: any day of the month. */
  readonly dayOfMonth: readonly MonthDay[] | undefined;
  /** `undefined`: any day of the week. */
  readonly dayOfWeek: readonly WeekDay[] | undefined;
  /** Whether a day must match both fields or either of them, if both are given. */
  readonly both: 'all' | 'any';
}

/** A day of the month by its number, by how far it is from the last, or as the weekday nearest to a day. */
export type MonthDay = number | { readonly beforeLast: number } | { readonly nearestWeekday: number | 'last' };

/** A weekday: each in the month, or only the nth (1 to 5), or the last. */
export type WeekDay = number | { readonly nth: number | 'last'; readonly weekday: number };

const SUNDAY = 0;
const SATURDAY = 6;
const SHORTEST = 28;

/** The days that a rule means in a month, as bits: bit 1 is the first day. */
export class MonthDays {
  readonly #kinds: readonly number[];

  constructor(fields: DayFields) {
    this.#kinds = Array.from({ length: 28 }, (_, kind) => daysOf(fields, SHORTEST + (kind & 3), kind >> 2));
  }

  /** The bits for a month of so many days whose first day is that weekday. */
  in(length: number, firstWeekday: number): number {
    return this.#kinds[firstWeekday * 4 + length - SHORTEST]!;
  }
}

function daysOf({ dayOfMonth, dayOfWeek, both }: DayFields, length: number, firstWeekday: number): number {
  const all = 2 ** (length + 1) - 2;
  if (dayOfMonth === undefined && dayOfWeek === undefined) return all;
  let byDate = dayOfMonth === undefined ? all : 0;
  let byWeekday = dayOfWeek === undefined ? all : 0;
  for (const day of dayOfMonth ?? []) byDate |= 2 ** dateOf(day, length, firstWeekday);
  for (const day of dayOfWeek ?? []) byWeekday |= weekdaysOf(day, length, firstWeekday);
  const restricted = dayOfMonth !== undefined && dayOfWeek !== undefined;
  return all & (restricted && both === 'any' ? byDate | byWeekday : byDate & byWeekday);
}

/** The date, or 0 if the month has none: bit 0 stands for no day. */
function dateOf(day: MonthDay, length: number, firstWeekday: number): number {
  if (typeof day === 'number') return day <= length ? day : 0;
  if ('beforeLast' in day) return Math.max(0, length - day.beforeLast);
  const wanted = day.nearestWeekday === 'last' ? length : day.nearestWeekday;
  if (wanted > length) return 0;
  const weekday = (firstWeekday + wanted - 1) % 7;
  if (day.nearestWeekday === 'last') return wanted - (weekday === SUNDAY ? 2 : weekday === SATURDAY ? 1 : 0);
  if (weekday === SATURDAY) return wanted === 1 ? 3 : wanted - 1; // never into another month
  if (weekday === SUNDAY) return wanted === length ? wanted - 2 : wanted + 1;
  return wanted;
}

function weekdaysOf(day: WeekDay, length: number, firstWeekday: number): number {
  const weekday = typeof day === 'number' ? day : day.weekday;
  const first = 1 + ((weekday - firstWeekday + 7) % 7);
  let bits = 0;
  let last = first;
  for (let date = first, nth = 1; date <= length; date += 7, nth += 1) {
    if (typeof day === 'number' || day.nth === nth) bits |= 2 ** date;
    last = date;
  }
  return typeof day !== 'number' && day.nth === 'last' ? 2 ** last : bits;
}
