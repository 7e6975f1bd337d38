// Ics: the days of the all-day events in an iCalendar text (RFC 5545), as holiday calendars have them.
//
// S1  What would be read wrong is refused: an event that recurs, or that has a time of day. Cancelled events count for
//     nothing; DTEND is the first day that is no longer meant.

import { shown } from '../time/shown.js';
import { refusal } from './refusal.js';

const DAY_MS = 86_400_000;
const LONGEST = 1_000_000;
const LONGEST_EVENT_DAYS = 366;
const NEXT = 'Export a calendar of single all-day events, or list the dates.';

/** The dates (`YYYY-MM-DD`) of the text's all-day events, sorted. */
export function datesOfIcs(text: unknown, what: string): readonly string[] {
  if (typeof text !== 'string' || !/^\s*BEGIN:VCALENDAR\s/i.test(text)) {
    throw refusal(`ics of ${what} is not the text of an iCalendar file: ${shown(text)}.`, NEXT);
  }
  if (text.length > LONGEST) throw refusal(`ics of ${what} has more than ${LONGEST} characters.`, NEXT);
  const dates = new Set<string>();
  let event: Map<string, string> | undefined;
  let inner = 0; // alarms within an event
  for (const line of text.replace(/\r?\n[ \t]/g, '').split(/\r?\n/)) {
    const [, name = '', value = ''] = /^([A-Za-z-]+)[^:]*:(.*)$/.exec(line) ?? [];
    const property = name.toUpperCase();
    const closes = value.trim().toUpperCase() === 'VEVENT' && inner === 0;
    if (property === 'BEGIN' && event === undefined && closes) event = new Map();
    else if (event === undefined) continue;
    else if (property === 'BEGIN') inner += 1;
    else if (property === 'END' && closes) {
      for (const date of datesOf(event, what)) dates.add(date);
      event = undefined;
    } else if (property === 'END') inner -= 1;
    else if (inner === 0) event.set(property, value.trim());
  }
  if (event !== undefined) throw refusal(`ics of ${what} ends within an event.`, NEXT);
  return [...dates].toSorted();
}

function datesOf(event: ReadonlyMap<string, string>, what: string): readonly string[] {
  if (event.get('STATUS')?.toUpperCase() === 'CANCELLED') return [];
  const named = `The event ${shown(event.get('SUMMARY') ?? event.get('UID') ?? '')} in ics of ${what}`;
  for (const property of ['RRULE', 'RDATE']) {
    if (event.has(property)) throw refusal(`${named} recurs (${property}).`, NEXT);
  }
  const startMs = dayOf(event.get('DTSTART'));
  if (startMs === undefined) throw refusal(`${named} does not start on a date: ${shown(event.get('DTSTART'))}.`, NEXT);
  const duration = event.get('DURATION');
  const days = duration === undefined ? '1' : /^P(\d{1,3})D$/.exec(duration)?.[1];
  const end = event.get('DTEND');
  const endMs = end === undefined ? startMs + Number(days) * DAY_MS : dayOf(end);
  if (endMs === undefined || !(endMs >= startMs))
    throw refusal(`${named} does not end on a date: ${shown(end ?? duration)}.`, NEXT);
  const length = Math.max(1, (endMs - startMs) / DAY_MS); // some programs write an end equal to the start
  if (length > LONGEST_EVENT_DAYS) throw refusal(`${named} lasts more than a year.`, NEXT);
  return Array.from({ length }, (_, day) => new Date(startMs + day * DAY_MS).toISOString().slice(0, 10));
}

function dayOf(value: string | undefined): number | undefined {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)$/.exec(value ?? '') ?? [];
  return year === undefined ? undefined : checkedDay(`${year}-${month}-${day}`);
}

/** Midnight UTC of a date as text; `undefined` for one that no calendar has. */
export function checkedDay(date: string): number | undefined {
  const ms = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00Z`) : NaN;
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== date ? undefined : ms;
}
