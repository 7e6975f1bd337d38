// Due: when a job should happen, as users say it and as its record keeps it.
//
// U1  What is said as an instant (`in`, a Date, a text with an offset) is kept as an instant and never moves.
// U2  What is said as a wall time is kept as a wall time, and is resolved anew wherever its instant is needed, so
//     that it follows a zone whose rules change while the job waits.

import { types } from 'node:util';
import { CarillonError } from '../errors.js';
import { shown } from './shown.js';
import { type Duration, durationMs } from './duration.js';
import { type Instant, LAST_INSTANT } from './instant.js';
import { checkTimezone, instantOfWall } from './zone.js';

/**
 * When something is due, as users write it: so long from now, or at a time. A text is ISO 8601 (`T` may be a space):
 * with an offset or `Z`, or without one and with a `timezone`, whose wall clock it then is.
 */
export type When =
  | { readonly in: Duration; readonly at?: never; readonly timezone?: never }
  | { readonly at: Date | string; readonly timezone?: string | undefined; readonly in?: never };

/** When something is due, as a record keeps it; `wall` is always spelled `YYYY-MM-DDTHH:mm:ss.SSS`. */
export type Due = { readonly at: Instant } | { readonly wall: string; readonly timezone: string };

/** Tells a due time that follows a wall clock from one that is an instant. */
export function isWall(due: Due): due is Extract<Due, { readonly wall: string }> {
  return 'wall' in due;
}

/**
 * Reads when something is due; a time in the past is fine. Throws `E_DUE`, or `E_DURATION` for a bad `in`, or
 * `E_ZONE` for a time zone that this host does not know.
 */
export function dueOf(when: When, now: Instant): Due {
  if (typeof when !== 'object' || when === null) throw refusal(`When it is due must be an object, not ${shown(when)}.`);
  if (when.in !== undefined && when.at !== undefined)
    throw refusal('in and at are both given.', 'Leave one of them out.');
  if (when.in !== undefined) {
    if (when.timezone !== undefined) throw refusal('timezone means nothing beside in.', 'Leave timezone out.');
    return { at: instant(now + durationMs(when.in, 'in')) };
  }
  if (when.at === undefined) throw refusal('Neither in nor at is given.');
  if (types.isDate(when.at)) {
    if (when.timezone !== undefined) {
      throw refusal(
        'timezone means nothing beside a Date, which is an instant.',
        'Leave timezone out, or write a text.',
      );
    }
    return { at: instant(when.at.getTime()) };
  }
  return ofText(when.at, when.timezone);
}

/** The instant of a due time; a wall time by this host's time zone data. Throws `E_ZONE` if they lack its zone. */
export function dueInstant(due: Due): Instant {
  if (!isWall(due)) return due.at;
  const wall = due.wall;
  return instantOfWall(
    {
      year: Number(wall.slice(0, 4)),
      month: Number(wall.slice(5, 7)),
      day: Number(wall.slice(8, 10)),
      hour: Number(wall.slice(11, 13)),
      minute: Number(wall.slice(14, 16)),
      second: Number(wall.slice(17, 19)),
      ms: Number(wall.slice(20, 23)),
    },
    due.timezone,
  );
}

const TEXT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?:(:\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/;

function ofText(text: string, timezone: string | undefined): Due {
  const parts = typeof text === 'string' ? TEXT.exec(text) : null;
  if (parts === null) throw refusal(`at is not a time: ${shown(text)}.`);
  const [, day, minutes = '00:00', seconds = ':00', fraction = '', offset] = parts;
  const wall = `${day}T${minutes}${seconds}.${fraction.padEnd(3, '0').slice(0, 3)}`;
  const wallMs = Date.parse(`${wall}Z`);
  // Date.parse takes 30 February for 2 March, and 24:00 for the next day.
  if (Number.isNaN(wallMs) || new Date(wallMs).toISOString() !== `${wall}Z`) {
    throw refusal(`at is a time that no calendar or clock shows: ${shown(text)}.`);
  }
  if (offset === undefined) {
    if (timezone === undefined) {
      throw refusal(
        `at does not say which clock it is on: ${shown(text)}.`,
        `Add an offset ('${wall.slice(0, 16)}Z', '${wall.slice(0, 16)}+02:00') or timezone: 'Europe/Berlin'.`,
      );
    }
    checkTimezone(timezone);
    return { wall, timezone };
  }
  if (timezone !== undefined) {
    throw refusal(`at has an offset and timezone is given too: ${shown(text)}.`, 'Leave one of them out.');
  }
  return { at: wallMs - offsetMs(offset, text) };
}

function offsetMs(offset: string, text: string): number {
  if (offset === 'Z') return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(3).replace(':', ''));
  if (hours > 23 || minutes > 59) throw refusal(`at has an offset that no clock has: ${shown(text)}.`);
  return (offset.startsWith('+') ? 60_000 : -60_000) * (hours * 60 + minutes);
}

function instant(at: number): Instant {
  if (!(Math.abs(at) <= LAST_INSTANT)) throw refusal('The time is not one that a Date can hold.');
  return at;
}

const SPELLINGS =
  "Write { in: '30m' }, { at: new Date(…) }, { at: '2027-03-01T09:00:00Z' } or " +
  "{ at: '2027-03-01 09:00', timezone: 'Europe/Berlin' }.";

function refusal(message: string, next: string = SPELLINGS): CarillonError {
  return new CarillonError('E_DUE', message, { next });
}
