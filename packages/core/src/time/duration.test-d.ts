import { expectTypeOf, test } from 'vitest';
import type { Duration, DurationObject, DurationText } from './duration.js';

declare function wait(duration: Duration): void;

test('right spellings compile', () => {
  const texts = [
    '5m',
    '1h30m',
    '2d',
    '1.5h',
    '250ms',
    '1w',
    '1w2d3h4m5s6ms',
    'PT5M',
    'P1DT2H',
    'P2W',
    'PT0.25S',
  ] as const;
  expectTypeOf<(typeof texts)[number]>().toExtend<DurationText>();
  expectTypeOf<{ hours: number; minutes: number }>().toExtend<DurationObject>();
  expectTypeOf<Duration>().toEqualTypeOf<DurationText | DurationObject>();
});

test('wrong spellings do not', () => {
  // @ts-expect-error no number
  wait('soon');
  // @ts-expect-error no unit
  wait('5');
  // @ts-expect-error no such unit
  wait('5 parsecs');
  // @ts-expect-error the longer unit comes first
  wait('30m1h');
  // @ts-expect-error a number does not say its unit
  wait(5);
  // @ts-expect-error nothing
  wait('');
  // @ts-expect-error no date and no time
  wait('P');
  // @ts-expect-error no time after the T
  wait('P1DT');
  // @ts-expect-error months have no fixed length
  wait({ months: 1 });
  // @ts-expect-error a text that is not known when it compiles
  wait(process.version);
});
