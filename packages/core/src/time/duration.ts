// Durations: how users write a length of time, and what it is in milliseconds.
//
// D1  A duration is a whole number of milliseconds, from 0 to 100 years; nothing else leaves this file.
// D2  A day is 24 hours and a week is 7 days: a duration knows no calendar, so it has no months and no years.
// D3  Reading takes time linear in a text of at most 64 characters.

import { CarillonError } from '../errors.js';
import { shown } from './shown.js';

type Amount<Unit extends string> = `${number}${Unit}`;
type Maybe<Unit extends string> = '' | Amount<Unit>;
type Short = `${Maybe<'w'>}${Maybe<'d'>}${Maybe<'h'>}${Maybe<'m'>}${Maybe<'s'>}${Maybe<'ms'>}`;
type IsoTime = Exclude<`${Maybe<'H'>}${Maybe<'M'>}${Maybe<'S'>}`, ''>;
type Iso = `${Maybe<'W'>}${Maybe<'D'>}${'' | `T${IsoTime}`}`;

/** A duration as text: `'5m'`, `'1h30m'`, `'1.5h'`, `'250ms'`, `'1w'`, or ISO 8601: `'PT5M'`, `'P1DT2H'`. */
export type DurationText = Exclude<Short, ''> | `P${Exclude<Iso, ''>}`;

/** A duration as an object: the sum of its fields, of which at least one must be there. */
export interface DurationObject {
  readonly weeks?: number | undefined;
  readonly days?: number | undefined;
  readonly hours?: number | undefined;
  readonly minutes?: number | undefined;
  readonly seconds?: number | undefined;
  readonly milliseconds?: number | undefined;
}

/** A length of time, from 0 to 100 years: `'1h30m'` or `{ hours: 1, minutes: 30 }`. */
export type Duration = DurationText | DurationObject;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;

/** The longest duration that there is: 100 years of 365.25 days, in milliseconds. */
export const LONGEST_DURATION_MS = 36_525 * DAY_MS;

const LONGEST_TEXT = 64;

/** Units with their lengths, longest first: the order in which a text must name them. */
type Units = readonly (readonly [name: string, ms: number])[];

const SHORT: Units = [
  ['w', WEEK_MS],
  ['d', DAY_MS],
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', SECOND_MS],
  ['ms', 1],
];
const ISO_DATE: Units = [
  ['W', WEEK_MS],
  ['D', DAY_MS],
];
const ISO_TIME: Units = [
  ['H', HOUR_MS],
  ['M', MINUTE_MS],
  ['S', SECOND_MS],
];
const FIELDS: ReadonlyMap<string, number> = new Map([
  ['weeks', WEEK_MS],
  ['days', DAY_MS],
  ['hours', HOUR_MS],
  ['minutes', MINUTE_MS],
  ['seconds', SECOND_MS],
  ['milliseconds', 1],
]);

/**
 * The duration in whole milliseconds, 0 or more; a fraction of a millisecond is rounded. `what` names the option in
 * the error. Throws `E_DURATION` for whatever is no duration, is negative, or is longer than 100 years.
 */
export function durationMs(duration: Duration, what: string): number {
  const known = typeof duration === 'string' ? read.get(duration) : undefined;
  if (known !== undefined) return known;
  const ms = typeof duration === 'string' ? textMs(duration) : objectMs(duration);
  if (ms === undefined) {
    throw new CarillonError('E_DURATION', `${what} is not a duration: ${shown(duration)}.`, {
      next:
        "Write '250ms', '30s', '5m', '1h30m', '2d', 'PT5M' or { hours: 1, minutes: 30 }; " +
        'count days instead of months or years.',
    });
  }
  if (ms > LONGEST_DURATION_MS) {
    throw new CarillonError('E_DURATION', `${what} is longer than 100 years: ${shown(duration)}.`, {
      next: "Write at most '36525d'.",
    });
  }
  const whole = Math.round(ms);
  if (typeof duration === 'string' && read.size < MOST_READ) read.set(duration, whole);
  return whole;
}

/** Texts that have been read: programs say the same few over and over. */
const read = new Map<string, number>();
const MOST_READ = 1000;

/** The milliseconds as `durationMs` reads them back, the longest unit a day: `'1h30m'`; what is below 0 is `'0ms'`. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms));
  let text = '';
  for (const [name, length] of SHORT) {
    if (name === 'w') continue; // '9d' says more than '1w2d'
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) text += `${count}${name}`;
  }
  return text === '' ? '0ms' : text;
}

function textMs(text: string): number | undefined {
  if (text.length > LONGEST_TEXT) return undefined;
  if (!text.startsWith('P')) return sum(text, SHORT);
  const [date = '', time, ...more] = text.slice(1).split('T');
  if (more.length > 0) return undefined;
  if (time === undefined) return sum(date, ISO_DATE);
  const timeMs = sum(time, ISO_TIME);
  const dateMs = date === '' ? 0 : sum(date, ISO_DATE);
  return timeMs === undefined || dateMs === undefined ? undefined : dateMs + timeMs;
}

/** The sum of amounts such as `1h30m`, each unit at most once and in its order; `undefined` for any other text. */
function sum(text: string, units: Units): number | undefined {
  const pieces = text.match(/[\d.]+|[^\d.]+/g) ?? []; // amounts and units in turn; the classes exclude each other (D3)
  if (pieces.length === 0) return undefined;
  let total = 0;
  let nextUnit = 0;
  for (let piece = 0; piece < pieces.length; piece += 2) {
    const amount = Number(pieces[piece]);
    const at = units.findIndex(([name], index) => index >= nextUnit && name === pieces[piece + 1]);
    if (!Number.isFinite(amount) || at === -1) return undefined;
    total += amount * units[at]![1];
    nextUnit = at + 1;
  }
  return total;
}

function objectMs(duration: DurationObject): number | undefined {
  if (typeof duration !== 'object' || duration === null) return undefined;
  let total: number | undefined;
  for (const [field, amount] of Object.entries(duration) as [string, unknown][]) {
    const unitMs = FIELDS.get(field);
    if (unitMs === undefined) return undefined;
    if (amount === undefined) continue;
    if (typeof amount !== 'number' || !Number.isFinite(amount) || amount < 0) return undefined;
    total = (total ?? 0) + amount * unitMs;
  }
  return total;
}
