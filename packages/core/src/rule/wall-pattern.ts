// WallPattern: the wall times at which every field of a cron or a calendar matches, without a zone. Wall times are
// milliseconds of the wall clock read as UTC.
//
// W1  A search takes bounded time: it gives up after the last year named, or after 400 years, when the calendar has been
//     through all it has.

import { type DayFields, MonthDays } from './month-days.js';

/** The values of each field, sorted; `undefined` for a day, month or year that may be any. */
export interface WallFields extends DayFields {
  readonly second: readonly number[];
  readonly minute: readonly number[];
  readonly hour: readonly number[];
  readonly month: readonly number[];
  readonly year: readonly number[] | undefined;
}

const SECOND_MS = 1_000;
const MINUTE_S = 60;
const HOUR_S = 3_600;
const DAY_S = 86_400;
const CYCLE_YEARS = 400;
/** The last year that has slots. */
export const LAST_YEAR = 9_999;

/** The wall times that a cron or a calendar means. */
export class WallPattern {
  /** Every hour matches: the rule follows the hours that pass, and names no time of the day. */
  readonly hourly: boolean;
  /** Every time within each matching day, hour, minute or second matches: how long such a stretch is. */
  readonly #wholeS: number;
  readonly #nextSecond: Int8Array;
  readonly #nextMinute: Int8Array;
  readonly #nextHour: Int8Array;
  readonly #firstOfHourS: number;
  readonly #firstOfDayS: number;
  readonly #months: readonly boolean[];
  readonly #years: ReadonlySet<number> | undefined;
  readonly #lastYear: number;
  readonly #days: MonthDays;

  constructor(fields: WallFields) {
    const { second, minute, hour } = fields;
    this.#nextSecond = nextTable(second, 60);
    this.#nextMinute = nextTable(minute, 60);
    this.#nextHour = nextTable(hour, 24);
    this.#firstOfHourS = minute[0]! * MINUTE_S + second[0]!;
    this.#firstOfDayS = hour[0]! * HOUR_S + this.#firstOfHourS;
    this.hourly = hour.length === 24;
    const [seconds, minutes] = [second.length === 60, minute.length === 60];
    this.#wholeS = !seconds ? 1 : !minutes ? MINUTE_S : !this.hourly ? HOUR_S : DAY_S;
    this.#months = Array.from({ length: 13 }, (_, month) => fields.month.includes(month));
    this.#years = fields.year === undefined ? undefined : new Set(fields.year);
    this.#lastYear = fields.year?.at(-1) ?? LAST_YEAR;
    this.#days = new MonthDays(fields);
  }

  /** The first matching wall time that is not before `wallMs`; `undefined` if there is none (W1). */
  atOrAfter(wallMs: number): number | undefined {
    const wallS = Math.ceil(wallMs / SECOND_MS);
    const today = Math.floor(wallS / DAY_S);
    const day = this.#dayAtOrAfter(today);
    if (day === undefined) return undefined;
    if (day > today) return (day * DAY_S + this.#firstOfDayS) * SECOND_MS;
    const timeS = this.#timeAtOrAfter(wallS - today * DAY_S);
    if (timeS !== undefined) return (today * DAY_S + timeS) * SECOND_MS;
    const later = this.#dayAtOrAfter(today + 1);
    return later === undefined ? undefined : (later * DAY_S + this.#firstOfDayS) * SECOND_MS;
  }

  /** If the second of `wallMs` matches, the end of a stretch around it that matches throughout; else `undefined`. */
  endOfMatch(wallMs: number): number | undefined {
    const secondMs = Math.floor(wallMs / SECOND_MS) * SECOND_MS;
    if (this.atOrAfter(secondMs) !== secondMs) return undefined;
    const wholeMs = this.#wholeS * SECOND_MS;
    return Math.floor(wallMs / wholeMs) * wholeMs + wholeMs;
  }

  #timeAtOrAfter(timeS: number): number | undefined {
    const hour = Math.floor(timeS / HOUR_S);
    const minute = Math.floor((timeS % HOUR_S) / MINUTE_S);
    if (this.#nextHour[hour] === hour) {
      if (this.#nextMinute[minute] === minute) {
        const second = this.#nextSecond[timeS % MINUTE_S]!;
        if (second >= 0) return hour * HOUR_S + minute * MINUTE_S + second;
      }
      const laterMinute = this.#nextMinute[minute + 1]!;
      if (laterMinute >= 0) return hour * HOUR_S + laterMinute * MINUTE_S + this.#nextSecond[0]!;
    }
    const laterHour = this.#nextHour[hour + 1]!;
    return laterHour < 0 ? undefined : laterHour * HOUR_S + this.#firstOfHourS;
  }

  #dayAtOrAfter(day: number): number | undefined {
    let { year, month, date } = dateOfDay(day);
    const giveUp = this.#years === undefined ? Math.min(LAST_YEAR, year + CYCLE_YEARS) : this.#lastYear;
    while (year <= giveUp) {
      if (this.#years !== undefined && !this.#years.has(year)) {
        [year, month, date] = [year + 1, 1, 1];
        continue;
      }
      if (this.#months[month]) {
        const first = dayOfDate(year, month);
        const bits = this.#days.in(lengthOf(year, month), (first + SINCE_MARCH_0 + WEDNESDAY) % 7) >>> date;
        if (bits !== 0) return first + date - 1 + trailingZeros(bits);
      }
      [year, month, date] = month === 12 ? [year + 1, 1, 1] : [year, month + 1, 1];
    }
    return undefined;
  }
}

const SINCE_MARCH_0 = 719_468; // days from 1 March of the year 0, a Wednesday, to 1970
const WEDNESDAY = 3;

/** For each index the first value that is not below it, or -1; one index further than the values go. */
function nextTable(values: readonly number[], size: number): Int8Array {
  return Int8Array.from({ length: size + 1 }, (_, index) => values.find((value) => value >= index) ?? -1);
}

function trailingZeros(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

const LENGTHS = [0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function lengthOf(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return LENGTHS[month]! + (leap ? 1 : 0);
}

/** Days since 1970 of the first of a month. Years begin in March here, so that the leap day ends one. */
function dayOfDate(year: number, month: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5);
  return (
    marchYear * 365 +
    Math.floor(marchYear / 4) -
    Math.floor(marchYear / 100) +
    Math.floor(marchYear / 400) +
    dayOfYear -
    SINCE_MARCH_0
  );
}

function dateOfDay(day: number): { year: number; month: number; date: number } {
  const sinceMarch0 = day + SINCE_MARCH_0;
  const era = Math.floor(sinceMarch0 / 146_097);
  const ofEra = sinceMarch0 - era * 146_097;
  const yearOfEra = Math.floor(
    (ofEra - Math.floor(ofEra / 1_460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const dayOfYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const date = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  return { year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, date };
}
