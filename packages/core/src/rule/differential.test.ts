// The same crons by croner and by cron-parser, over five years in six zones: where they and we disagree, it is at a change
// of the clock, and for one of the reasons listed here. A reason that explains nothing any more fails too. What takes long
// is for `npm run soak`; otherwise the five years are Berlin's, and the rest is compared around changes of two years.

import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';
import { afterAll, describe, expect, test } from 'vitest';
import { parseRule } from './rule.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WHOLE = process.env['SOAK_RULES'] !== undefined;
const FROM_MS = Date.UTC(2027, 0, 1);
const TO_MS = Date.UTC(2032, 0, 1);
const LORD_HOWE = 'Australia/Lord_Howe';
const ZONES = ['Europe/Berlin', 'Europe/London', 'America/New_York', 'Australia/Sydney', LORD_HOWE, 'America/Havana'];

/** Compared over all five years. */
const RARE = [
  '30 2 * * *',
  '30 1 * * *',
  '30 0 * * *',
  '0 0 * * *',
  '0 9 * * 1-5',
  '0 12 1,15 * 1',
  '15 10 L * *',
  '0 0 * * 0',
  '30 2 * * 6#1',
  '0 6 * * 5L',
  '0 0 29 2 *',
  '45 23 28-31 3,10 *',
];
/** Compared around changes of the clock. */
const FREQUENT = [
  '* * * * *',
  '*/7 * * * *',
  '*/30 * * * *',
  '0 * * * *',
  '45 * * * *',
  '*/15 1-3 * * *',
  '0 */2 * * *',
  '*/20 2 * * *',
  '30 1,2 * * *',
  '20,50 0 * * *',
];

interface Difference {
  readonly peer: 'croner' | 'cron-parser';
  readonly timezone: string;
  readonly cron: string;
  /** The slot that one of us has and the other has not; `undefined` if the peer threw or went back. */
  readonly slot: number | undefined;
  readonly by: 'us' | 'them';
  readonly change: { readonly atMs: number; readonly byMs: number };
}

const oneTimeADay = (cron: string): boolean => /^\d+ \d+ /.test(cron);

const REASONS: Record<string, (difference: Difference) => boolean> = {
  'croner drops what falls into a gap, unless the cron names one time of the day (C1, C2)': ({
    peer,
    cron,
    slot,
    by,
    change,
  }) => peer === 'croner' && !oneTimeADay(cron) && by === 'us' && change.byMs > 0 && slot === change.atMs,
  'croner runs named hours in both passes, unless the cron names one time of the day (C1)': ({
    peer,
    cron,
    slot,
    by,
    change,
  }) =>
    peer === 'croner' &&
    !oneTimeADay(cron) &&
    !cron.includes(' * * * *') &&
    by === 'them' &&
    change.byMs < 0 &&
    slot! >= change.atMs &&
    slot! < change.atMs - change.byMs,
  'cron-parser runs what falls into a gap as long after it as it was into it (C1)': ({
    peer,
    cron,
    slot,
    by,
    change,
  }) =>
    peer === 'cron-parser' &&
    !cron.includes(' * * * *') &&
    change.byMs > 0 &&
    (by === 'us' ? slot === change.atMs : slot! >= change.atMs && slot! <= change.atMs + HOUR_MS),
  'cron-parser takes the second pass of an hour that begins with midnight (C1)': ({ peer, cron, slot, by, change }) => {
    if (peer !== 'cron-parser' || cron.includes(' * * * *') || change.byMs !== -HOUR_MS) return false;
    const midnightMs = by === 'us' ? change.atMs - HOUR_MS : change.atMs;
    return slot! >= midnightMs && slot! < midnightMs + HOUR_MS;
  },
  'cron-parser counts in whole hours: around a change of half an hour it leaves out slots, throws or goes back': ({
    peer,
    timezone,
    slot,
    by,
    change,
  }) =>
    peer === 'cron-parser' &&
    timezone === LORD_HOWE &&
    (slot === undefined || (by === 'us' && slot >= change.atMs && slot < change.atMs + HOUR_MS / 2)),
};

const used = new Set<string>();

/** How far the zone is ahead of UTC, by what its clock shows. */
function offsetBy(timezone: string): (at: number) => number {
  const clock = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone, dateStyle: 'short', timeStyle: 'medium' });
  return (at) => Date.parse(`${clock.format(at).replace(' ', 'T')}Z`) - at;
}

function changesOf(timezone: string): Difference['change'][] {
  const offset = offsetBy(timezone);
  const changes: Difference['change'][] = [];
  for (let dayMs = FROM_MS; dayMs < TO_MS; dayMs += DAY_MS) {
    if (offset(dayMs) === offset(dayMs + DAY_MS)) continue;
    for (let atMs = dayMs; atMs < dayMs + DAY_MS; atMs += HOUR_MS / 2) {
      const byMs = offset(atMs + HOUR_MS / 2) - offset(atMs);
      if (byMs !== 0) changes.push({ atMs: atMs + HOUR_MS / 2, byMs });
    }
  }
  return changes;
}

/** Slots until `toMs`, and whether the walk came there without a throw or a step back. */
function walk(fromMs: number, toMs: number, next: (afterMs: number) => number | undefined): [Set<number>, boolean] {
  const slots = new Set<number>();
  let at = fromMs;
  try {
    for (;;) {
      const slot = next(at);
      if (slot === undefined || slot >= toMs) return [slots, true];
      if (slot <= at) return [slots, false];
      slots.add((at = slot));
    }
  } catch {
    return [slots, false];
  }
}

const PEERS = {
  croner: (cron: string, timezone: string) => {
    const job = new Cron(cron, { timezone });
    return () => (afterMs: number) => job.nextRun(new Date(afterMs))?.getTime();
  },
  'cron-parser': (cron: string, timezone: string) => (fromMs: number) => {
    const dates = CronExpressionParser.parse(cron, { currentDate: fromMs, tz: timezone });
    return () => dates.next().getTime();
  },
};

describe.each(ZONES)('in %s', (timezone) => {
  const changes = changesOf(timezone);
  const nearest = (at: number): Difference['change'] =>
    changes.reduce((best, change) => (Math.abs(change.atMs - at) < Math.abs(best.atMs - at) ? change : best));

  test.each([...RARE, ...FREQUENT])(
    '%s',
    (cron) => {
      const rule = parseRule({ cron, timezone }, cron);
      const spans =
        RARE.includes(cron) && (WHOLE || timezone === 'Europe/Berlin')
          ? [[FROM_MS, TO_MS] as const]
          : changes
              .slice(0, WHOLE ? undefined : 4)
              .map(({ atMs }) => [atMs - 2 * HOUR_MS, atMs + 3 * HOUR_MS] as const);
      const unexplained: string[] = [];
      for (const peer of ['croner', 'cron-parser'] as const) {
        const begin = PEERS[peer](cron, timezone);
        for (const [fromMs, toMs] of spans) {
          const [ours] = walk(fromMs, toMs, (afterMs) => rule.next(afterMs));
          const [theirs, finished] = walk(fromMs, toMs, begin(fromMs));
          const explain = (slot: number | undefined, by: 'us' | 'them'): void => {
            const difference = { peer, timezone, cron, slot, by, change: nearest(slot ?? fromMs) };
            const reason = Object.entries(REASONS).find(([, holds]) => holds(difference))?.[0];
            if (reason === undefined)
              unexplained.push(`${peer}: ${by} at ${slot === undefined ? '?' : new Date(slot).toISOString()}`);
            else used.add(reason);
          };
          if (!finished) explain(undefined, 'them');
          const untilMs = finished ? toMs : Math.max(...theirs);
          for (const slot of ours) if (!theirs.has(slot) && slot < untilMs) explain(slot, 'us');
          for (const slot of theirs) if (!ours.has(slot)) explain(slot, 'them');
        }
      }
      expect(unexplained).toEqual([]);
    },
    60_000,
  );
});

afterAll(() => {
  expect([...used].toSorted()).toEqual(Object.keys(REASONS).toSorted());
});
