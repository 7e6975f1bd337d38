import { type Outcome, rescuesOf, Tally, trialOf } from '@carillon/testing/simulation';
import { expect, it } from 'vitest';
import { jsonReport, plainReport } from './report.js';

const pace = { seeds: 2, hours: 60, tookMs: 1_000, workers: 2 };
const failing: Outcome = {
  trial: trialOf(7, { choices: { hours: 24, faults: { crash: 0.001, pause: 1 } }, workload: 'keys', jobs: Infinity }),
  failure: { breaks: 'I5', about: 'order-1', text: 'it was early', at: Date.UTC(2026, 0, 1) },
  hash: 'a1',
  events: 10,
  placings: 1,
  startedAt: 0,
  hours: 24,
  rescues: new Tally().rescues,
  exemptions: 0,
  backlog: 0,
};
const passing: Outcome = { ...failing, failure: undefined };
const LINE = 'npm run simulate -- --seed 7 --workload keys --hours 24 --faults crash=0.001,pause=1';

function tallyOf(...outcomes: readonly Outcome[]): Tally {
  const tally = new Tally();
  for (const outcome of outcomes) tally.add(outcome);
  return tally;
}

function written(report: typeof plainReport, write: (to: ReturnType<typeof plainReport>) => void): readonly string[] {
  const lines: string[] = [];
  write(report((line) => lines.push(line)));
  return lines;
}

it('gives a failing seed a line that repeats it, and a passing one none', () => {
  expect(
    written(plainReport, (to) => {
      to.ran(passing);
      to.ran(failing);
    }),
  ).toEqual(['FAILED seed 7  I5: it was early (order-1)', `  ${LINE}`]);
});

it.each([
  [[passing, passing], 2, 'seeds             2, all passed'],
  [[passing, failing], 2, 'seeds             2, 1 FAILED'],
  [[passing, passing], 400, 'seeds             2 of 400, then stopped, none failed'],
])('sums up', (outcomes, asked, line) => {
  expect(
    written(plainReport, (to) => to.summary(tallyOf(...outcomes), pace, { asked, workload: 'mixed', tooTame: false })),
  ).toContain(line);
});

it('sums up last, after the rescues, and says what they lack', () => {
  const lines = written(plainReport, (to) =>
    to.summary(tallyOf(passing, passing), pace, { asked: 2, workload: 'mixed', tooTame: true }),
  );
  const at = (start: string): number => lines.findIndex((line) => line.startsWith(start));
  expect(at('rescues')).toBe(1);
  expect(at('seeds ')).toBeGreaterThan(rescuesOf('mixed').length);
  expect(lines).toContain('exempted jobs     0');
  expect(lines.at(-2)).toMatch(/^never happened +a swept copy/);
  expect(lines.at(-1)).toMatch(/^TOO TAME: /);
});

it('counts of schedules what concerns schedules', () => {
  const suite = { asked: 2, workload: 'schedules', tooTame: false };
  const lines = written(plainReport, (to) => to.summary(tallyOf(passing, passing), pace, suite));
  expect(lines[2]).toMatch(/^ +0 {2}a lost tick was healed$/);
  expect(lines.at(-1)).toMatch(/^never happened +a lost tick was healed, /);
});

it('counts the exempted jobs and the backlog', () => {
  const outcome = { ...passing, exemptions: 3, backlog: 1 };
  const lines = written(plainReport, (to) =>
    to.summary(tallyOf(outcome), pace, { asked: 1, workload: 'mixed', tooTame: false }),
  );
  expect(lines).toContain('exempted jobs     3, of which the ledger had forgotten a write');
  expect(lines).toContain('backlog           1 job, overdue at the end for want of room');
});

it('tells the story of the smallest run', () => {
  const small = { ...failing, trial: { ...failing.trial, plan: { ...failing.trial.plan, faults: { pause: 1 } } } };
  expect(written(plainReport, (to) => to.shrunk(failing, { smallest: small, runs: 9 }, ['once upon a time']))).toEqual([
    '',
    expect.stringMatching(/^Seed 7, made small in 9 runs: 2 faults, .* → 1 fault, /),
    `  ${LINE.replace('crash=0.001,', '')}`,
    '  once upon a time',
  ]);
});

it('writes a JSON row per line', () => {
  const rows = written(jsonReport, (to) => {
    to.ran(failing);
    to.summary(tallyOf(failing), pace, { asked: 1, workload: 'mixed', tooTame: false });
  }).map((line) => JSON.parse(line) as object);
  expect(rows).toMatchObject([
    { row: 'seed', seed: 7, passed: false, breaks: 'I5', at: '2026-01-01T00:00:00.000Z', reproduction: LINE },
    { row: 'summary', asked: 1, seeds: 1, failed: [7], hoursPerSecondAndCore: 30 },
  ]);
});
