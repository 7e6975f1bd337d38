// Spec: what users write to say when a schedule's slots are.

import type { Duration } from '../time/duration.js';

/**
 * What happens to a slot whose wall time a zone skips or shows twice. `'once'`: skipped means the first instant after the
 * gap, twice means the first pass; a rule whose hour is `*` follows the hours that really pass instead. `'literal'`:
 * skipped means no slot, twice means two.
 */
export type Dst = 'once' | 'literal';

/** A weekday: 0 and 7 are Sunday, or its English name, whole or its first three letters. */
export type Weekday =
  | number
  | NameOrShort<'sunday' | 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday'>;

/** A month: 1 is January, or its English name, whole or its first three letters. */
export type Month = number | NameOrShort<SpringMonth | AutumnMonth>;
type SpringMonth = 'january' | 'february' | 'march' | 'april' | 'may' | 'june';
type AutumnMonth = 'july' | 'august' | 'september' | 'october' | 'november' | 'december';

type NameOrShort<Name extends string> = Name | ShortOf<Name>;
type ShortOf<Name extends string> = Name extends `${infer A}${infer B}${infer C}${string}` ? `${A}${B}${C}` : never;

/** Values from one to another, both included; with `step`, every so many of them, counted from `from`. */
export interface Range<Value> {
  readonly from: Value;
  readonly to: Value;
  readonly step?: number | undefined;
}

/** What a field of a calendar takes: one value, a range, a list of both, or `'*'` for all. */
export type Field<Value> = '*' | Value | Range<Value> | readonly (Value | Range<Value>)[];

/** A day of the month: a number, the last one, or the weekday (Monday to Friday) nearest to it in the same month. */
export type DayOfMonth = number | 'last' | { readonly nearestWeekday: number | 'last' };

/** A day of the week, each one in the month or only the nth (1 to 5) or last one. */
export type DayOfWeek = Weekday | { readonly nth: number | 'last'; readonly weekday: Weekday };

/**
 * The wall times at which every field matches. `second`, `minute` and `hour` are 0 unless given, the others match
 * anything; under `skip` all of them do.
 */
export interface CalendarSpec {
  readonly second?: Field<number> | undefined;
  readonly minute?: Field<number> | undefined;
  readonly hour?: Field<number> | undefined;
  readonly dayOfMonth?: Field<DayOfMonth> | undefined;
  readonly month?: Field<Month> | undefined;
  readonly year?: Field<number> | undefined;
  readonly dayOfWeek?: Field<DayOfWeek> | undefined;
}

/** Times of which any matches. At least one of `cron`, `every` and `calendar` must be there. */
export interface Times {
  /** A cron of 5, 6 (seconds first) or 7 (year last) fields, or `@daily` and friends; a list means any of them. */
  readonly cron?: string | readonly string[] | undefined;
  /** Slots at whole multiples of this since 1970 in UTC, whatever the zone and however long a run takes; at least 1 s. */
  readonly every?: Duration | undefined;
  /** Shifts the slots of `every`; shorter than it. */
  readonly offset?: Duration | undefined;
  /** Wall times by their fields; a list means any of them. */
  readonly calendar?: CalendarSpec | readonly CalendarSpec[] | undefined;
}

/** Days on which nothing runs: dates (`'2027-12-25'`), or the text of an iCalendar file of all-day events. */
export type Holidays = readonly string[] | { readonly ics: string };

/** When a schedule's slots are, as users write it: the union of all times given, minus what is skipped, within bounds. */
export interface RuleSpec extends Times {
  /** More times, any of which matches. */
  readonly also?: Times | readonly Times[] | undefined;
  /** Slots that match one of these are left out. */
  readonly skip?: Times | readonly Times[] | undefined;
  /** Slots on one of these days, by the rule's own zone, are left out. */
  readonly holidays?: Holidays | undefined;
  /** The IANA zone whose clock `cron`, `calendar`, `holidays` and bounds without an offset mean; default `'UTC'`. */
  readonly timezone?: string | undefined;
  /** Default `'once'`. */
  readonly dst?: Dst | undefined;
  /** No slot is earlier: a Date, or a text as `at` takes it. */
  readonly startAt?: Date | string | undefined;
  /** No slot is later. */
  readonly endAt?: Date | string | undefined;
  /** Each slot starts up to so much later, never as late as the next slot; the same in each replica. */
  readonly jitter?: Duration | undefined;
  /** All slots of a schedule start up to so much later, by a hash of its id: so that not everything starts at :00. */
  readonly spread?: Duration | undefined;
}
