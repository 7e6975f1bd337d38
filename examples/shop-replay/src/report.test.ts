import { expect, it } from 'vitest';
import type { Verdict } from './judge.js';
import { report, table } from './report.js';

const verdict: Verdict = {
  purchases: 1000,
  reviews: 999,
  winBacks: 600,
  replaced: 400,
  lost: ['review-7 never went out.'],
  twice: [],
  early: [],
  contradictions: [],
  attempts: 1602,
  absorbedRepeats: 3,
  latenessMs: Array.from({ length: 200 }, (_, index) => index + 1),
};

it('counts the findings and takes quantiles of the lateness', () => {
  expect(report(verdict, { restarts: 3, serverRestarts: 2 })).toMatchObject({
    lost: 1,
    twice: 0,
    restarts: 3,
    serverRestarts: 2,
    latenessMs: { p50: 100, p99: 198, max: 200 },
    findings: ['review-7 never went out.'],
  });
});

it('has no lateness where nothing was sent', () => {
  expect(report({ ...verdict, latenessMs: [] }, { restarts: 0, serverRestarts: 0 }).latenessMs).toEqual({
    p50: 0,
    p99: 0,
    max: 0,
  });
});

it('is a table with what is wrong below it', () => {
  const lines = table(report(verdict, { restarts: 3, serverRestarts: 2 })).split('\n');
  expect(lines[0]).toBe('purchases            1,000');
  expect(lines).toContain('lateness p99           198 ms');
  expect(lines.at(-1)).toBe('! review-7 never went out.');
});
