import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRule, type Rule } from './rule.js';
import type { CalendarSpec, RuleSpec, Times } from './spec.js';

const DAY_MS = 86_400_000;
const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().replace(':00.000Z', '');
const take = (rule: Rule, afterMs: number, count: number): number[] => {
  const slots: number[] = [];
  for (let slot = rule.next(afterMs); slot !== undefined && slots.length < count; slot = rule.next(slot))
    slots.push(slot);
  return slots;
};
const texts = (spec: RuleSpec, after: string, count: number): (string | undefined)[] =>
  take(parseRule(spec, 'test'), Date.parse(after) - 1, count).map(iso);

const someCron = fc.constantFrom(
  '* * * * *',
  '*/30 * * * *',
  '*/7 1-4 * * *',
  '0 * * * *',
  '30 2 * * *',
  '0 0 * * *',
  '15 9 * * 1-5',
  '0 12 L * *',
  '30 1 * * 0#1',
  '0 0 29 2 *',
  '*/20 * * * * *',
  '0 6 13 * 5',
  '45 1 15W 3-11 *',
  '59 59 23 31 12 ? 2028/2',
);
const someCalendar: fc.Arbitrary<CalendarSpec> = fc.constantFrom<CalendarSpec>(
  { hour: 9 },
  { hour: '*', minute: { from: 0, to: 59, step: 25 } },
  { hour: [2, { from: 22, to: 23 }], dayOfWeek: ['sat', 'sun'] },
  { dayOfMonth: ['last', { nearestWeekday: 15 }], minute: 30, hour: 2 },
  { dayOfWeek: { nth: 'last', weekday: 'friday' }, month: ['jan', 10] },
);
const someInterval: fc.Arbitrary<Times> = fc.constantFrom<Times>(
  { every: '90s' },
  { every: '15m', offset: '5m' },
  { every: '7h' },
  { every: '1d', offset: '3h' },
  { every: '1w' },
);
const someTimes: fc.Arbitrary<Times> = fc.oneof(
  someInterval,
  fc.record({ cron: fc.oneof(someCron, fc.array(someCron, { minLength: 1, maxLength: 3 })) }),
  fc.record({ calendar: someCalendar }),
  fc.tuple(someInterval, someCron, someCalendar).map(([interval, cron, calendar]) => ({ ...interval, cron, calendar })),
);
const somePlace = fc.record({
  timezone: fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'Australia/Lord_Howe',
    'America/Havana',
    'Asia/Kolkata',
    'Pacific/Apia',
  ),
  dst: fc.constantFrom('once' as const, 'literal' as const),
});
const skippable = fc.constantFrom('* 2 * * *', '*/15 * * * *', '* * * * 0,6', '* * * 6-8 *', '30 9 1-20 * *');
const someSpec: fc.Arbitrary<RuleSpec> = fc
  .tuple(
    somePlace,
    someTimes,
    fc.record(
      {
        also: fc.array(someTimes, { maxLength: 2 }),
        skip: fc.record({ cron: skippable }),
        holidays: fc.constant(['2027-10-31', '2027-03-28', '2028-02-29']),
        startAt: fc.constantFrom('2027-03-01', '2027-03-28T01:00:00Z'),
        endAt: fc.constantFrom('2031-01-01 09:00', '2030-12-31T23:00:00+02:00'),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([place, times, more]) => ({ ...place, ...times, ...more }));
const changes = [
  '2027-03-28T01:00Z',
  '2027-10-31T01:00Z',
  '2027-04-03T15:00Z',
  '2027-10-02T15:30Z',
  '2027-11-07T05:00Z',
];
const someInstant = fc.oneof(
  fc.integer({ min: Date.UTC(2027, 0, 1), max: Date.UTC(2031, 0, 1) }),
  fc
    .tuple(fc.constantFrom(...changes), fc.integer({ min: -2 * 3_600_000, max: 2 * 3_600_000 }))
    .map(([at, by]) => Date.parse(at) + by),
);
/** Some specs leave nothing; they are refused, and there is nothing to say about them. */
const readable = (spec: RuleSpec): Rule | undefined => {
  try {
    return parseRule(spec, 'test');
  } catch {
    return undefined;
  }
};

describe('R1: next', () => {
  test('is strictly later, and the same from wherever nothing lies between', () => {
    fc.assert(
      fc.property(someSpec, someInstant, fc.double({ min: 0, max: 1, noNaN: true }), (spec, afterMs, part) => {
        const rule = readable(spec);
        const next = rule?.next(afterMs);
        if (rule === undefined || next === undefined) return;
        expect(next).toBeGreaterThan(afterMs);
        expect(Number.isInteger(next)).toBe(true);
        expect(rule.next(next - 1)).toBe(next);
        expect(rule.next(afterMs + Math.floor((next - 1 - afterMs) * part))).toBe(next);
        expect(rule.next(next) ?? Infinity).toBeGreaterThan(next);
      }),
      { numRuns: 333 },
    );
  }, 30_000);

  test('never goes back when the question goes on', () => {
    fc.assert(
      fc.property(someSpec, someInstant, fc.integer({ min: 0, max: 40 * DAY_MS }), (spec, afterMs, onMs) => {
        const rule = readable(spec);
        expect(rule?.next(afterMs + onMs) ?? Infinity).toBeGreaterThanOrEqual(rule?.next(afterMs) ?? 0);
      }),
      { numRuns: 266 },
    );
  }, 30_000);

  test('answers also where time begins and ends', () => {
    const rule = parseRule({ cron: '* * * * *', timezone: 'America/New_York' }, 'test');
    expect(rule.next(-Infinity)).toBe(0);
    expect(rule.next(-8.64e15)).toBe(0);
    expect(rule.next(8.64e15)).toBeUndefined();
    expect(rule.next(Infinity)).toBeUndefined();
    expect(rule.next(0.5)).toBe(60_000);
    expect(rule.next(Date.UTC(9999, 11, 31))).toBeUndefined();
  });
});

describe('unions, skips and bounds', () => {
  test('a union has the earlier of what its parts have', () => {
    fc.assert(
      fc.property(somePlace, someTimes, someTimes, someInstant, (place, one, other, afterMs) => {
        const both = parseRule({ ...place, ...one, also: other }, 'test').next(afterMs);
        const parts = [one, other].map((times) => parseRule({ ...place, ...times }, 'test').next(afterMs) ?? Infinity);
        expect(both ?? Infinity).toBe(Math.min(...parts));
      }),
      { numRuns: 333 },
    );
  }, 30_000);

  test('X1: skip takes out what matches by the clock and nothing else, and excluded tells', () => {
    fc.assert(
      fc.property(somePlace, someTimes, skippable, someInstant, (place, times, cron, afterMs) => {
        const all = take(parseRule({ ...place, ...times }, 'test'), afterMs, 60);
        const skipped = parseRule({ cron: `* ${cron}`, timezone: place.timezone, dst: 'literal' }, 'test');
        const isOut = (slot: number): boolean => skipped.next(slot - 1) === slot - (slot % 1000);
        const rule = readable({ ...place, ...times, skip: { cron } });
        if (rule === undefined) return; // a cron that skips itself
        const untilMs = all.at(-1) ?? afterMs;
        expect(take(rule, afterMs, 61).filter((slot) => slot <= untilMs)).toEqual(all.filter((slot) => !isOut(slot)));
        expect(rule.excluded(afterMs, untilMs, 60)).toEqual({ slots: all.filter(isOut), to: untilMs });
      }),
      { numRuns: 133 },
    );
  }, 30_000);

  test('X1: a skipped calendar means all that it leaves open, an interval its instants', () => {
    const christmas = { calendar: { month: 12, dayOfMonth: { from: 24, to: 26 } } };
    expect(texts({ every: '12h', offset: '9h', skip: christmas }, '2027-12-23T12:00Z', 3)).toEqual([
      '2027-12-23T21:00',
      '2027-12-27T09:00',
      '2027-12-27T21:00',
    ]);
    expect(texts({ every: '1h', skip: [{ every: '2h' }, { every: '3h' }] }, '2027-01-01T00:00Z', 3)).toEqual([
      '2027-01-01T01:00',
      '2027-01-01T05:00',
      '2027-01-01T07:00',
    ]);
  });

  test('X1: a holiday is a day of the zone, also when it has 25 hours', () => {
    const spec: RuleSpec = { cron: '0 * * * *', timezone: 'Europe/Berlin', holidays: ['2027-10-31'] };
    const rule = parseRule(spec, 'test');
    const before = Date.parse('2027-10-30T21:00Z');
    expect(iso(rule.next(before))).toBe('2027-10-31T23:00');
    expect(rule.excluded(before, rule.next(before)!, 100).slots).toHaveLength(25);
    expect(rule.excluded(before, rule.next(before)!, 2).slots.map(iso)).toEqual([
      '2027-10-30T22:00',
      '2027-10-30T23:00',
    ]);
  });

  test('X1: a leap over a day that lost an hour ends with that day', () => {
    const spec: RuleSpec = { cron: '0 * * * *', timezone: 'Europe/Berlin', holidays: ['2027-03-28'] };
    expect(texts(spec, '2027-03-27T22:00Z', 2)).toEqual(['2027-03-27T22:00', '2027-03-28T22:00']);
  });

  test('startAt and endAt are included, and without an offset mean the zone', () => {
    const spec = {
      cron: '0 9 * * *',
      timezone: 'Europe/Berlin',
      startAt: '2027-01-05 09:00',
      endAt: '2027-01-06T09:00',
    };
    expect(texts(spec, '2027-01-01T00:00Z', 9)).toEqual(['2027-01-05T08:00', '2027-01-06T08:00']);
    const instants = { ...spec, startAt: new Date('2027-01-05T08:00:00.001Z'), endAt: '2027-01-07T09:00:00+01:00' };
    expect(texts(instants, '2027-01-01T00:00Z', 9)).toEqual(['2027-01-06T08:00', '2027-01-07T08:00']);
  });

  test('intervals count from 1970 in UTC, wherever the clock hangs', () => {
    const spec: RuleSpec = { every: '15m', offset: '5m', timezone: 'Asia/Kolkata' };
    expect(texts(spec, '2027-03-28T00:59Z', 2)).toEqual(['2027-03-28T01:05', '2027-03-28T01:20']);
  });
});

describe('R3: what has no slot, or cannot be read, is refused', () => {
  test.each<[string, unknown, string]>([
    ['nothing', {}, 'no times'],
    ['no object', null, 'not an object'],
    ['an empty list', { cron: [] }, 'no times'],
    ['a skip of everything', { cron: '* * * * *', skip: { cron: '* * * * *' } }, 'never has a slot'],
    [
      'two halves of a skip',
      { every: '1s', skip: [{ cron: '0-29 * * * * *' }, { cron: '30-59 * * * * *' }] },
      'never has',
    ],
    ['bounds without a slot between', { cron: '0 0 1 1 *', startAt: '2027-01-02', endAt: '2027-12-31' }, 'never has'],
    [
      'bounds the wrong way round',
      { every: '1h', startAt: '2027-01-02', endAt: '2027-01-01' },
      'ends before it starts',
    ],
    ['a bad bound', { every: '1h', startAt: '2027-02-30' }, 'startAt of schedule x'],
    ['a bound that is no date', { every: '1h', endAt: 5 }, 'endAt of schedule x'],
    ['less than a second', { every: '999ms' }, 'shorter than a second'],
    ['a long offset', { every: '1h', offset: '1h' }, 'not shorter than every'],
    ['an offset alone', { cron: '0 9 * * *', offset: '1h' }, 'means nothing without every'],
    ['what is unknown', { cron: '0 9 * * *', tz: 'UTC' }, "takes no 'tz'"],
    ['what is unknown in a skip', { every: '1h', skip: { timezone: 'UTC', every: '2h' } }, "takes no 'timezone'"],
    ['a skip of nothing', { every: '1h', skip: {} }, 'skip of schedule x has no times'],
    ['a bad dst', { every: '1h', dst: 'twice' }, "dst of schedule x is 'twice'"],
    ['a date that is none', { every: '1h', holidays: ['2027-02-29'] }, 'no date'],
    ['too many dates', { every: '1h', holidays: Array.from({ length: 10_001 }, () => '2027-01-01') }, '10000 dates'],
  ])('%s', (_what, spec, message) => {
    expect(() => parseRule(spec as RuleSpec, 'schedule x')).toThrow(message);
    expect(() => parseRule(spec as RuleSpec, 'schedule x')).toThrow('[E_RULE]');
  });

  test('with the codes of durations and zones', () => {
    expect(() => parseRule({ every: '5 minutes' as '5m' }, 'x')).toThrow('[E_DURATION]');
    expect(() => parseRule({ cron: '0 9 * * *', timezone: 'Mars/Olympus' }, 'x')).toThrow('[E_ZONE]');
  });
});

describe('R4: due times', () => {
  test('are never before their slots, in their order, and the same in each replica', () => {
    const spread = fc.constantFrom('0s' as const, '10m' as const, '3h' as const);
    const jitter = fc.constantFrom('1s' as const, '5m' as const, '2d' as const);
    fc.assert(
      fc.property(someSpec, someInstant, spread, jitter, fc.string(), (spec, afterMs, spread, jitter, id) => {
        const rule = readable({ ...spec, spread, jitter });
        if (rule === undefined) return;
        const slots = take(rule, afterMs, 20);
        const due = slots.map((slot) => rule.dueAt(slot, id));
        expect(due.toSorted((a, b) => a - b)).toEqual(due);
        expect(new Set(due).size).toBe(due.length);
        expect(due.every((at, index) => at >= slots[index]!)).toBe(true);
        const replica = parseRule(rule.spec, 'replica');
        expect(slots.map((slot) => replica.dueAt(slot, id))).toEqual(due);
      }),
      { numRuns: 200 },
    );
  }, 30_000);

  test('jitter spreads over all it may and less than the way to the next slot; spread is one shift for all slots', () => {
    const dues = (spec: RuleSpec, id: string): number[] => {
      const rule = parseRule(spec, 'test');
      return take(rule, 0, 200).map((slot) => rule.dueAt(slot, id) - slot);
    };
    const jittered = dues({ every: '10m', jitter: '1h' }, 'daily');
    expect(Math.max(...jittered)).toBeLessThan(600_000);
    expect(Math.max(...jittered)).toBeGreaterThan(540_000);
    expect(Math.min(...jittered)).toBeLessThan(60_000);
    expect(dues({ every: '10m', jitter: '1m' }, 'daily').every((by) => by < 60_000)).toBe(true);
    expect(new Set(dues({ every: '10m', spread: '1h' }, 'daily')).size).toBe(1);
    const shifts = Array.from({ length: 200 }, (_, id) => dues({ every: '10m', spread: '1h' }, `daily-${id}`)[0]!);
    expect(Math.max(...shifts)).toBeLessThan(3_600_000);
    expect(new Set(shifts).size).toBeGreaterThan(190);
  });

  test('do not change from release to release', () => {
    expect(parseRule({ every: '1h', jitter: '30m' }, 'test').dueAt(3_600_000, 'daily') - 3_600_000).toBe(1_027_100);
    expect(parseRule({ every: '1h', spread: '30m' }, 'test').dueAt(3_600_000, 'daily') - 3_600_000).toBe(250_017);
  });
});

describe('spec and digest', () => {
  test('the spec is plain JSON, reads back, and has the same digest', () => {
    fc.assert(
      fc.property(someSpec, someInstant, (spec, afterMs) => {
        const rule = readable(spec);
        if (rule === undefined) return;
        const again = parseRule(JSON.parse(JSON.stringify(rule.spec)) as RuleSpec, 'again');
        expect(again.spec).toEqual(rule.spec);
        expect(again.digest).toBe(rule.digest);
        expect(take(again, afterMs, 5)).toEqual(take(rule, afterMs, 5));
      }),
      { numRuns: 333 },
    );
  }, 30_000);

  test.each<[RuleSpec, RuleSpec]>([
    [{ cron: '0 9 * * 1-5' }, { cron: ' 0  9 * * 1-5 ', timezone: 'UTC', dst: 'once', jitter: '0s' }],
    [{ cron: ['0 9 * * MON', '@daily'] }, { cron: '@DAILY', also: [{ cron: '0 9 * * mon' }, { cron: '@daily' }] }],
    [{ every: '90m' }, { every: { minutes: 90 }, offset: '0s' }],
    [
      { cron: '0 9 * * *', timezone: 'Europe/Berlin' },
      { cron: '0 9 * * *', timezone: 'europe/BERLIN' },
    ],
    [
      { every: '1h', also: { every: '7h', offset: '1h' } },
      { every: '7h', offset: '60m', also: [{ every: '1h' }] },
    ],
    [{ calendar: { dayOfWeek: ['mon', 5], hour: 9 } }, { calendar: { hour: [9], dayOfWeek: ['friday', 'monday'] } }],
    [
      { calendar: { dayOfMonth: ['last', 1], minute: { from: 0, to: 59 } } },
      { calendar: { minute: '*', dayOfMonth: [1, 'last'] } },
    ],
    [
      { every: '1h', startAt: '2027-01-01T00:00:00Z' },
      { every: '1h', startAt: new Date('2027-01-01T00:00:00Z') },
    ],
    [
      { every: '1h', holidays: ['2027-12-26', '2027-12-25', '2027-12-25'] },
      {
        every: '1h',
        holidays: { ics: 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20271225\nDTEND:20271227\nEND:VEVENT\nEND:VCALENDAR' },
      },
    ],
  ])('%j equals %j', (one, other) => {
    expect(parseRule(one, 'a').digest).toBe(parseRule(other, 'b').digest);
  });

  test('different specs differ', () => {
    const specs: RuleSpec[] = [
      { cron: '0 9 * * *' },
      { cron: '0 10 * * *' },
      { cron: '0 9 * * *', timezone: 'Europe/Berlin' },
      { cron: '0 9 * * *', dst: 'literal' },
      { cron: '0 9 * * *', jitter: '1s' },
      { cron: '0 9 * * *', spread: '1s' },
      { cron: '0 9 * * *', startAt: '2027-01-01' },
      { cron: '0 9 * * *', endAt: '2027-01-01' },
      { cron: '0 9 * * *', skip: { cron: '0 9 * * 1' } },
      { cron: '0 9 * * *', holidays: ['2027-01-01'] },
      { calendar: { hour: 9 } },
      { calendar: { hour: 9, dayOfMonth: 'last' } },
      { every: '1d', offset: '9h' },
      { every: '1d' },
      { calendar: { hour: 9, dayOfMonth: { nearestWeekday: 'last' } } },
      { calendar: { hour: 9, dayOfWeek: { nth: 1, weekday: 1 } } },
    ];
    expect(new Set(specs.map((spec) => parseRule(spec, 'test').digest)).size).toBe(specs.length);
  });

  test('does not change from release to release: a deploy would look like an edit', () => {
    const spec: RuleSpec = {
      cron: '0 9 * * 1-5',
      every: '7h',
      offset: '1h',
      calendar: { hour: 3, dayOfMonth: ['last', { nearestWeekday: 15 }] },
      also: { every: '1w' },
      skip: { calendar: { month: 'aug' } },
      holidays: ['2027-12-25'],
      timezone: 'Europe/Berlin',
      startAt: '2027-01-01',
      endAt: '2030-01-01',
      jitter: '1m',
      spread: '5m',
    };
    expect(JSON.stringify(parseRule(spec, 'test').spec)).toBe(
      '{"cron":["0 9 * * 1-5"],"every":"7h","offset":"1h","calendar":[{"hour":[3],"dayOfMonth":["last",' +
        '{"nearestWeekday":15}]}],"also":[{"every":"7d"}],"skip":[{"calendar":[{"month":[8]}]}],' +
        '"holidays":["2027-12-25"],"timezone":"Europe/Berlin","dst":"once","startAt":"2026-12-31T23:00:00.000Z",' +
        '"endAt":"2029-12-31T23:00:00.000Z","jitter":"1m","spread":"5m"}',
    );
    expect(parseRule(spec, 'test').digest).toBe('qE0RGJ5A59JF_BRsi9ZelR');
  });
});
