// Times: crons, intervals and calendars, checked and in one spelling, and the patterns that they mean.

import { durationMs, formatDuration } from '../time/duration.js';
import { shown } from '../time/shown.js';
import { parseCalendar, tidyCalendar } from './calendar.js';
import { parseCron, tidyCron } from './cron.js';
import { Interval } from './interval.js';
import { refusal } from './refusal.js';
import type { CalendarSpec, Times } from './spec.js';
import { WallPattern } from './wall-pattern.js';

/** Several `Times` as one: each list sorted and without repeats. */
export interface TidyTimes {
  readonly crons: readonly string[];
  readonly calendars: readonly CalendarSpec[];
  readonly intervals: readonly Interval[];
}

const MOST = 100;
const SHORTEST_MS = 1_000;
const KEYS: readonly string[] = ['cron', 'every', 'offset', 'calendar'];

/** Checks times and brings them to one spelling. */
export function tidyTimes(times: readonly Times[], what: string): TidyTimes {
  const crons = new Set<string>();
  const calendars = new Map<string, CalendarSpec>();
  const intervals = new Map<string, Interval>();
  for (const { cron, calendar, every, offset } of times) {
    for (const text of listOf(cron)) crons.add(tidyCron(text, `cron of ${what}`));
    for (const given of listOf(calendar)) {
      const tidy = tidyCalendar(given, `calendar of ${what}`);
      calendars.set(JSON.stringify(tidy), tidy);
    }
    if (every === undefined) {
      if (offset !== undefined) throw refusal(`offset of ${what} means nothing without every.`, 'Leave it out.');
      continue;
    }
    const everyMs = durationMs(every, `every of ${what}`);
    const offsetMs = durationMs(offset ?? '0s', `offset of ${what}`);
    if (everyMs < SHORTEST_MS)
      throw refusal(`every of ${what} is shorter than a second: ${shown(every)}.`, "Write '1s' or more.");
    if (offsetMs >= everyMs)
      throw refusal(`offset of ${what} is not shorter than every.`, 'Write what is left of it after whole turns.');
    intervals.set(`${String(everyMs).padStart(16, '0')}+${offsetMs}`, new Interval(everyMs, offsetMs));
  }
  if (crons.size + calendars.size + intervals.size > MOST) {
    throw refusal(`${what} has more than ${MOST} times.`, 'Split it into several schedules.');
  }
  return { crons: [...crons].toSorted(), calendars: sortedByKey(calendars), intervals: sortedByKey(intervals) };
}

/** One or many `Times`, each with at least one time in it and nothing unknown. */
export function listOfTimes(given: Times | readonly Times[] | undefined, what: string): readonly Times[] {
  const list = listOf(given);
  for (const times of list) {
    if (typeof times !== 'object' || times === null) throw refusal(`${what} is not an object: ${shown(times)}.`, FORMS);
    const unknown = Object.keys(times).find((key) => !KEYS.includes(key));
    if (unknown !== undefined) throw refusal(`${what} takes no ${shown(unknown)}.`, FORMS);
    if (!hasTimes(times)) throw refusal(`${what} has no times.`, FORMS);
  }
  return list;
}

/** Whether there is any time in it. */
export function hasTimes({ cron, every, calendar }: Times): boolean {
  return listOf(cron).length > 0 || every !== undefined || listOf(calendar).length > 0;
}

/** The times as users write them: all crons and calendars and the first interval in one, each other interval alone. */
export function spellTimes({ crons, calendars, intervals }: TidyTimes): readonly [Times, ...Times[]] {
  const [first, ...others] = intervals.map(({ everyMs, offsetMs }) => ({
    every: formatDuration(everyMs) as `${number}ms`,
    ...(offsetMs > 0 && { offset: formatDuration(offsetMs) as `${number}ms` }),
  }));
  return [
    { ...(crons.length > 0 && { cron: crons }), ...first, ...(calendars.length > 0 && { calendar: calendars }) },
    ...others,
  ];
}

/** The patterns of all crons and calendars; under skip (`anyTime`) what they leave out matches anything. */
export function patternsOf({ crons, calendars }: TidyTimes, what: string, anyTime = false): readonly WallPattern[] {
  return [
    ...crons.map((cron) => checked(new WallPattern(parseCron(cron, `cron of ${what}`, anyTime)), `${cron} of ${what}`)),
    ...calendars.map((calendar) =>
      checked(new WallPattern(parseCalendar(calendar, `calendar of ${what}`, anyTime)), `A calendar of ${what}`),
    ),
  ];
}

function checked(pattern: WallPattern, what: string): WallPattern {
  if (pattern.atOrAfter(0) !== undefined) return pattern;
  throw refusal(`${what} never matches: no year has such a day.`, 'Correct the day or the month.');
}

const FORMS = "Write { cron: '0 9 * * 1-5' }, { every: '15m', offset: '5m' } or { calendar: { hour: 9 } }.";

function listOf<One>(given: One | readonly One[] | undefined): readonly One[] {
  if (given === undefined) return [];
  return Array.isArray(given) ? given : [given as One];
}

function sortedByKey<Value>(map: ReadonlyMap<string, Value>): readonly Value[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
