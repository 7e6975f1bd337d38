// Report: what a replay came to, as a table for people and as data for scripts.

import type { Verdict } from './judge.js';
import type { Replayed } from './replay.js';

/** The figures of a replay. */
export interface Report {
  readonly purchases: number;
  readonly reviews: number;
  readonly winBacks: number;
  readonly replaced: number;
  readonly lost: number;
  readonly twice: number;
  readonly early: number;
  readonly contradictions: number;
  readonly attempts: number;
  readonly absorbedRepeats: number;
  /** Worker processes that were started again. */
  readonly restarts: number;
  readonly serverRestarts: number;
  /** From the due time to the gateway's accept, in milliseconds. */
  readonly latenessMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** What was lost, twice, early or contradictory, in words; at most 100 of each. */
  readonly findings: readonly string[];
}

const MOST_FINDINGS = 100;

/** Sums a verdict up. */
export function report(
  verdict: Verdict,
  { restarts, serverRestarts }: Pick<Replayed, 'restarts' | 'serverRestarts'>,
): Report {
  const { purchases, reviews, winBacks, replaced, attempts, absorbedRepeats, latenessMs } = verdict;
  const { lost, twice, early, contradictions } = verdict;
  return {
    purchases,
    reviews,
    winBacks,
    replaced,
    lost: lost.length,
    twice: twice.length,
    early: early.length,
    contradictions: contradictions.length,
    attempts,
    absorbedRepeats,
    restarts,
    serverRestarts,
    latenessMs: { p50: quantile(latenessMs, 0.5), p99: quantile(latenessMs, 0.99), max: latenessMs.at(-1) ?? 0 },
    findings: [lost, twice, early, contradictions].flatMap((found) => found.slice(0, MOST_FINDINGS)),
  };
}

/** The report as a table, with the findings below it. */
export function table(report: Report): string {
  const { p50, p99, max } = report.latenessMs;
  const rows: [string, number, string?][] = [
    ['purchases', report.purchases],
    ['reviews', report.reviews],
    ['win-backs', report.winBacks],
    ['replaced', report.replaced],
    ['lost', report.lost],
    ['twice', report.twice],
    ['early', report.early],
    ['contradictions', report.contradictions],
    ['attempts', report.attempts],
    ['absorbed repeats', report.absorbedRepeats],
    ['restarts', report.restarts],
    ['server restarts', report.serverRestarts],
    ['lateness p50', p50, ' ms'],
    ['lateness p99', p99, ' ms'],
    ['lateness max', max, ' ms'],
  ];
  const lines = rows.map(
    ([name, value, unit = '']) => `${name.padEnd(18)}${value.toLocaleString('en').padStart(8)}${unit}`,
  );
  return [...lines, ...report.findings.map((finding) => `! ${finding}`)].join('\n');
}

function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? 0;
}
