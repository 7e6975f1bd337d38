// Every slot of a rule against an oracle that looks at the wall clock minute by minute. Here around each change of the
// clock and in some quiet weeks; `npm run soak` has all minutes of three years.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MINUTE_MS, slotsByLooking, type WallClock, wallClock } from './oracle.fixture.test.js';
import { parseRule, type Rule } from './rule.js';

const WHOLE = process.env['SOAK_RULES'] !== undefined;
const DAY_MS = 1440 * MINUTE_MS;
const ZONES = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'America/Havana',
  'Asia/Kolkata',
  'Africa/Casablanca',
];
const FROM_MS = Date.UTC(2027, 0, 1);
const TO_MS = Date.UTC(2030, 0, 1);
const CRONS = [
  '* * * * *',
  '*/30 * * * *',
  '*/7 * * * *',
  '0 * * * *',
  '15,45 * * * *',
  '30 2 * * *',
  '30 1 * * *',
  '0 0 * * *',
  '45 0 * * *',
  '15 2,3 * * *',
  '*/15 1-3 * * *',
  '* 0,2 * * *',
  '59 23 * * 6',
  '0 */2 * * *',
  '0 9 * * 1-5',
  '0 9 1,15 * 1',
  '30 2 L * *',
  '30 2 * * 0L',
  '30 2 * 3,10,11 0#2,0#1',
  '0 12 15W,LW * *',
  '0 12 1W,31W * 3',
  '5/20 4-22/3 L-2 */2 ?',
  '30 2 29 2 *',
  '30 2 25-31 3,10 7',
];

function slotsOf(rule: Rule, fromMs: number, toMs: number): number[] {
  const slots: number[] = [];
  for (let slot = rule.next(fromMs - 1); slot !== undefined && slot < toMs; slot = rule.next(slot)) slots.push(slot);
  return slots;
}

/** Spans of the three years in which the zone is looked at; the first day of each only sets the scene. */
function spans(timezone: string): WallClock[] {
  if (WHOLE) return [wallClock(timezone, FROM_MS - DAY_MS, TO_MS)];
  const found: WallClock[] = [];
  for (let dayMs = FROM_MS; dayMs < TO_MS; dayMs += DAY_MS) {
    const shownAt = (atMs: number): number => wallClock(timezone, atMs, atMs + MINUTE_MS).shown[0]!;
    if (shownAt(dayMs + DAY_MS) - shownAt(dayMs) !== 1440)
      found.push(wallClock(timezone, dayMs - DAY_MS, dayMs + 2 * DAY_MS));
  }
  for (const quiet of ['2028-02-26', '2027-06-29', '2029-12-28']) {
    const dayMs = Date.parse(quiet);
    found.push(wallClock(timezone, dayMs - DAY_MS, dayMs + 5 * DAY_MS));
  }
  return found;
}

describe.each(ZONES)('in %s', (timezone) => {
  const clocks = spans(timezone);

  const compare = (cron: string, dst: 'once' | 'literal'): void => {
    const rule = parseRule({ cron, timezone, dst }, cron);
    for (const clock of clocks) {
      const toMs = clock.fromMs + clock.shown.length * MINUTE_MS;
      const ours = slotsOf(rule, clock.fromMs + DAY_MS, toMs);
      const theirs = slotsByLooking(cron, clock, dst);
      const differs = theirs.findIndex((slot, index) => slot !== ours[index]);
      const near = (slots: number[]): string[] =>
        slots.slice(Math.max(0, differs - 2), differs + 3).map((slot) => new Date(slot).toISOString());
      if (differs >= 0) expect(near(ours), `${cron} ${dst}`).toEqual(near(theirs));
      expect(ours.length, `${cron} ${dst}`).toBe(theirs.length);
    }
  };

  test.each(CRONS)(
    '%s is what the oracle sees',
    (cron) => {
      compare(cron, 'once');
      compare(cron, 'literal');
    },
    600_000,
  );

  test('any cron is what the oracle sees', () => {
    fc.assert(fc.property(someCron, fc.constantFrom('once' as const, 'literal' as const), compare), {
      numRuns: WHOLE ? 20 : 60,
    });
  }, 600_000);
});

const valueIn = (first: number, last: number): fc.Arbitrary<string> =>
  fc.integer({ min: first, max: last }).map(String);
const rangeIn = (first: number, last: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min: first, max: last }), fc.integer({ min: first, max: last }), fc.integer({ min: 1, max: 9 }))
    .map(([a, b, step]) => `${Math.min(a, b)}-${Math.max(a, b)}${step === 1 ? '' : `/${step}`}`);
const field = (first: number, last: number, ...more: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant('*') },
    {
      weight: 4,
      arbitrary: fc
        .array(fc.oneof(valueIn(first, last), rangeIn(first, last), ...more), { minLength: 1, maxLength: 3 })
        .map((items) => items.join(',')),
    },
  );
const someCron = fc
  .tuple(
    field(0, 59, fc.constantFrom('*/5', '*/20', '10/15')),
    field(0, 5, fc.constantFrom('*/2', '*/3')),
    field(1, 28, fc.constantFrom('L', 'L-1', 'LW', '31W', '1W', '31', '*/10')),
    fc.constantFrom('*', '*', '2-4', '3,10', '*/2', '9-12'),
    field(0, 7, fc.constantFrom('0L', '5L', '0#1', '0#2', '6#5', '1-5')),
  )
  .map((fields) => fields.join(' '));
