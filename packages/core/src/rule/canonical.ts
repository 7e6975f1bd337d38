// Canonical: a spec checked and in the one spelling that all equal specs share. It is plain JSON, and reads back.

import { CarillonError } from '../errors.js';
import { dueInstant, dueOf } from '../time/due.js';
import { durationMs, formatDuration, type Duration } from '../time/duration.js';
import { LAST_INSTANT, type Instant } from '../time/instant.js';
import { shown } from '../time/shown.js';
import { checkTimezone } from '../time/zone.js';
import { checkedDay, datesOfIcs } from './ics.js';
import { refusal } from './refusal.js';
import type { Dst, Holidays, RuleSpec } from './spec.js';
import { hasTimes, listOfTimes, spellTimes, tidyTimes, type TidyTimes } from './times.js';

/** A spec with everything checked, defaults filled in, and durations and instants as numbers. */
export interface Canonical {
  readonly times: TidyTimes;
  readonly skip: TidyTimes;
  readonly holidays: readonly string[];
  readonly timezone: string;
  readonly dst: Dst;
  readonly startMs: Instant;
  readonly endMs: Instant;
  readonly jitterMs: number;
  readonly spreadMs: number;
  /** The same as users write it, without what is left at its default. */
  readonly spec: RuleSpec;
}

const KEYS = [
  'cron',
  'every',
  'offset',
  'calendar',
  'also',
  'skip',
  'holidays',
  'timezone',
  'dst',
  'startAt',
  'endAt',
  'jitter',
  'spread',
];
const MOST_HOLIDAYS = 10_000;

/** Checks a spec; `beside` are the options that its writer may give beside it. Throws `E_RULE`, `E_DURATION` or `E_ZONE`. */
export function canonicalOf(given: RuleSpec, what: string, beside: readonly string[] = []): Canonical {
  if (typeof given !== 'object' || given === null) throw refusal(`${what} is not an object: ${shown(given)}.`, FORMS);
  const unknown = Object.keys(given).find((key) => !KEYS.includes(key));
  if (unknown !== undefined)
    throw refusal(`${what} takes no ${shown(unknown)}.`, `It takes ${[...KEYS, ...beside].join(', ')}.`);
  const { timezone = 'UTC', dst = 'once' } = given;
  checkTimezone(timezone);
  if (dst !== 'once' && dst !== 'literal')
    throw refusal(`dst of ${what} is ${shown(dst)}.`, "Write 'once' or 'literal'.");

  const also = listOfTimes(given.also, `also of ${what}`);
  if (!hasTimes(given) && also.length === 0) throw refusal(`${what} has no times.`, FORMS);
  const times = tidyTimes([given, ...also], what);
  const skip = tidyTimes(listOfTimes(given.skip, `skip of ${what}`), `skip of ${what}`);
  const holidays = holidaysOf(given.holidays, what);
  const startMs = boundOf(given.startAt, timezone, `startAt of ${what}`) ?? 0;
  const endMs = boundOf(given.endAt, timezone, `endAt of ${what}`) ?? LAST_INSTANT;
  if (endMs < startMs) throw refusal(`${what} ends before it starts.`, 'Exchange startAt and endAt.');
  const jitterMs = durationMs(given.jitter ?? '0s', `jitter of ${what}`);
  const spreadMs = durationMs(given.spread ?? '0s', `spread of ${what}`);

  const [first, ...others] = spellTimes(times);
  const skipped = skip.crons.length + skip.calendars.length + skip.intervals.length > 0 ? spellTimes(skip) : undefined;
  const spec: RuleSpec = {
    ...first,
    ...(others.length > 0 && { also: others }),
    ...(skipped !== undefined && { skip: skipped }),
    ...(holidays.length > 0 && { holidays }),
    timezone,
    dst,
    ...(given.startAt !== undefined && { startAt: new Date(startMs).toISOString() }),
    ...(given.endAt !== undefined && { endAt: new Date(endMs).toISOString() }),
    ...(jitterMs > 0 && { jitter: spelt(jitterMs) }),
    ...(spreadMs > 0 && { spread: spelt(spreadMs) }),
  };
  return { times, skip, holidays, timezone, dst, startMs, endMs, jitterMs, spreadMs, spec };
}

const spelt = (ms: number): Duration => formatDuration(ms) as Duration;

function holidaysOf(given: Holidays | undefined, what: string): readonly string[] {
  if (given === undefined) return [];
  const where = `holidays of ${what}`;
  const list = Array.isArray(given)
    ? (given as readonly string[])
    : datesOfIcs((given as { ics?: unknown } | null)?.ics, where);
  if (list.length > MOST_HOLIDAYS)
    throw refusal(`${where} has more than ${MOST_HOLIDAYS} dates.`, 'Leave out the past.');
  const bad = list.find((date) => typeof date !== 'string' || checkedDay(date) === undefined);
  if (bad !== undefined) throw refusal(`${where} has ${shown(bad)}, which is no date.`, "Write '2027-12-25'.");
  return [...new Set(list)].toSorted();
}

function boundOf(given: Date | string | undefined, timezone: string, what: string): Instant | undefined {
  if (given === undefined) return undefined;
  try {
    const hasZone = typeof given !== 'string' || /(Z|[+-]\d\d(:?\d\d)?)$/.test(given.slice(10));
    return dueInstant(dueOf(hasZone ? { at: given } : { at: given, timezone }, 0));
  } catch (cause) {
    if (!CarillonError.is(cause)) throw cause;
    throw refusal(
      `${what} is not a time: ${shown(given)}.`,
      "Write a Date, '2027-03-01T09:00:00Z' or '2027-03-01 09:00'.",
      cause,
    );
  }
}

const FORMS =
  "Write { cron: '0 9 * * 1-5', timezone: 'Europe/Berlin' }, { every: '15m' } or { calendar: { hour: 9 } }.";
