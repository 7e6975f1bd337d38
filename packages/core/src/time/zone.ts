// Zones: what a wall clock in a time zone shows, as an instant, by the time zone data of this host.
//
// Z1  A wall time that a zone skips (clocks go forward) means the first instant after the gap.
// Z2  A wall time that a zone has twice (clocks go back) means its first pass.
// Z3  Both follow from one rule: the earliest instant at which the wall clock has reached the wall time.

import { CarillonError } from '../errors.js';
import { shown } from './shown.js';
import type { Instant } from './instant.js';

/** What a wall clock shows; a date of the calendar, `month` from 1, years from 0 to 9999. */
export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly ms: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const WIDEST_OFFSET_MS = 16 * HOUR_MS; // Manila was 15:56 behind UTC before 1845; nobody was ever further from it

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Throws `E_ZONE` unless this host knows the time zone, an IANA name such as `Europe/Berlin` or `UTC`. */
export function checkTimezone(timezone: string): void {
  formatterOf(timezone);
}

/** The instant at which the zone's clock shows the wall time (Z1, Z2). Throws `E_ZONE` for a zone unknown here. */
export function instantOfWall(wall: WallTime, timezone: string): Instant {
  const formatter = formatterOf(timezone);
  const wallMs = utcOf(wall);
  let from = wallMs - WIDEST_OFFSET_MS; // the wall clock is still before the wall time, wherever it hangs
  for (;;) {
    const offset = offsetMs(formatter, from);
    const reached = wallMs - offset;
    if (reached <= from) return from; // the change at `from` jumped to the wall time or over it (Z1)
    if (offsetMs(formatter, reached) === offset) return reached; // Z2: a second pass has another offset
    from = changeBetween(formatter, from, reached, offset);
  }
}

/** How far the zone's clock is ahead of UTC at an instant, in milliseconds. Throws `E_ZONE` for a zone unknown here. */
export function offsetIn(timezone: string): (at: Instant) => number {
  const formatter = formatterOf(timezone);
  return (at) => offsetMs(formatter, at);
}

/** The first instant after `from`, at the latest `to`, whose offset is no longer `offset`. */
function changeBetween(formatter: Intl.DateTimeFormat, from: Instant, to: Instant, offset: number): Instant {
  let before = from;
  let after = to;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetMs(formatter, middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}

/** How far the zone's clock is ahead of UTC at the instant, read from a text such as `1/1/1970, GMT-00:44:30`. */
function offsetMs(formatter: Intl.DateTimeFormat, at: Instant): number {
  const text = formatter.format(at);
  const start = text.indexOf('GMT') + 3;
  if (start === text.length) return 0;
  const [hours, minutes, seconds = '0'] = text.slice(start + 1).split(':');
  const ahead = Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS + Number(seconds) * SECOND_MS;
  return text[start] === '+' ? ahead : -ahead;
}

/** The wall time read as UTC. `Date.UTC` would take the years 0 to 99 for 1900 to 1999. */
function utcOf(wall: WallTime): number {
  const date = new Date(0);
  date.setUTCFullYear(wall.year, wall.month - 1, wall.day);
  return date.setUTCHours(wall.hour, wall.minute, wall.second, wall.ms);
}

/** The zone's formatter. Zone names are ASCII and their case does not count, so there are only so many to keep. */
function formatterOf(timezone: string): Intl.DateTimeFormat {
  const name = typeof timezone === 'string' && /^[a-z][\w+/-]*$/i.test(timezone) ? timezone.toLowerCase() : '';
  const known = formatters.get(name);
  if (known !== undefined) return known;
  try {
    const formatter = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    formatters.set(name, formatter);
    return formatter;
  } catch (cause) {
    throw new CarillonError('E_ZONE', `This host knows no time zone ${shown(timezone)}.`, {
      next: "Write an IANA name such as 'Europe/Berlin' or 'UTC'; if it is one, this Node needs newer time zone data.",
      cause,
    });
  }
}
