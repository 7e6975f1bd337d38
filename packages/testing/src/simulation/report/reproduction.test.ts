import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { FAULT_NAMES, FAULTS } from '../plan/faults.js';
import { planOf } from '../plan/plan.js';
import { reproductionOf, seedOf, type Trial, trialChoicesOf, type TrialFlags, trialOf } from './reproduction.js';

const WORKLOADS = ['mixed', 'keys'];

/** What the command makes of a line. */
function readBack(line: string): Trial {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: line.replace('npm run simulate -- ', '').split(' '),
    options: {
      seed: text,
      workload: text,
      hours: text,
      engines: text,
      jobs: text,
      shape: text,
      precision: text,
      horizon: text,
      faults: text,
    },
  });
  return trialOf(seedOf(values.seed!), trialChoicesOf(values, WORKLOADS));
}

const faults = fc
  .record(
    Object.fromEntries(FAULT_NAMES.map((name) => [name, fc.double({ min: 1e-9, max: FAULTS[name].to, noNaN: true })])),
    { requiredKeys: [] },
  )
  .map((drawn) => ({ ...drawn }));

const changes = fc.record(
  {
    hours: fc.constantFrom(24, 0.5, 1.37, 720),
    engines: fc.integer({ min: 1, max: 64 }),
    shape: fc.constantFrom('apart' as const, 'fused' as const),
    precisionMs: fc.integer({ min: 0, max: 100_000 }),
    horizonMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 1e9 })),
    faults,
  },
  { requiredKeys: [] },
);

it('R1: a line read back is the same run', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      changes,
      fc.constantFrom(...WORKLOADS),
      fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 1e6 })),
      (seed, choices, workload, jobs) => {
        const { precisionMs } = planOf(seed);
        const plan = planOf(seed, choices);
        const trial: Trial = { plan, workload, jobs };
        const same = plan.shape === 'fused' ? { ...trial, plan: { ...plan, precisionMs } } : trial;
        expect(readBack(reproductionOf(trial))).toEqual(same);
      },
    ),
  );
});

it('R1: says no more than is needed', () => {
  const line = (choices: Parameters<typeof planOf>[1]): string =>
    reproductionOf({ plan: planOf(7, choices), workload: 'mixed', jobs: Infinity });
  expect(line({ hours: 24 })).toBe('npm run simulate -- --seed 7 --workload mixed --hours 24');
  expect(line({ hours: 0.5, faults: { pause: 1, crash: 0.002 } })).toBe(
    'npm run simulate -- --seed 7 --workload mixed --hours 0.5 --faults crash=0.002,pause=1',
  );
});

it.each<[TrialFlags, string]>([
  [{ workload: 'mixd' }, '--workload mixd is not understood. It takes one of mixed, keys.'],
  [{ hours: '0' }, '--hours 0'],
  [{ hours: '1h' }, '--hours 1h'],
  [{ engines: '0' }, '--engines 0 is not understood. It takes a whole number from 1 to 64.'],
  [{ engines: '1.5' }, '--engines 1.5'],
  [{ jobs: '-1' }, '--jobs -1 is not understood. It takes a whole number of at least 1.'],
  [{ jobs: '' }, '--jobs '],
  [{ shape: 'round' }, '--shape round is not understood. It takes apart or fused.'],
  [{ precision: 'none' }, '--precision none'],
  [{ precision: '1s', shape: 'fused' }, '--precision says nothing to --shape fused. A fused store is exact'],
  [{ horizon: '20' }, '--horizon 20 is not understood. It takes a length of time such as 1s or 20h, or none.'],
  [{ faults: 'crash' }, '--faults crash'],
  [{ faults: 'crash=0.1,smash=0.1' }, '--faults smash=0.1 is not understood. It takes none, or NAME=RATE'],
  [{ faults: 'crash=.' }, '--faults crash=.'],
  [{ faults: 'pause=3,crash=2' }, '--faults crash=2 is not understood. It takes a chance from 0 to 1 for crash.'],
])('R2: refuses %j', (flags, message) => {
  expect(() => trialChoicesOf(flags, WORKLOADS)).toThrow(message);
});

it('R2: refuses a seed that is none', () => {
  expect(() => seedOf('seven')).toThrow(
    '--seed seven is not understood. It takes a whole number from 0 to 4294967295.',
  );
});
