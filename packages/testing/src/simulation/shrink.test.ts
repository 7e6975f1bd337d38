import { describe, expect, it } from 'vitest';
import { merged } from './checks/rescues.js';
import type { Plan } from './plan/plan.js';
import type { Trial } from './report/reproduction.js';
import { shrink } from './shrink.js';
import type { Broken, Outcome } from './suite.js';

const HOUR_MS = 3_600_000;
const plan: Plan = {
  seed: 7,
  hours: 24,
  engines: 4,
  shape: 'apart',
  precisionMs: 1000,
  horizonMs: 20 * HOUR_MS,
  faults: { duplicate: 0.01, reorder: 0.1, slow: 0.01, crash: 0.001, pause: 1, skew: 10 },
};
const whole: Trial = { plan, workload: 'mixed', jobs: Infinity };

const rest = { hash: '', events: 1, startedAt: 0, hours: 5, rescues: merged([]), exemptions: 0, backlog: 0 };

/** A simulator whose engine breaks an invariant, after five hours, in trials that are like this. */
function breaking(isLike: (trial: Trial) => boolean, breaks: (trial: Trial) => Broken = () => 'I2') {
  const attempted: Trial[] = [];
  const attempt = async (trial: Trial): Promise<Outcome> => {
    attempted.push(trial);
    const failure = isLike(trial) ? { breaks: breaks(trial), about: 'order-1', text: '', at: 5 * HOUR_MS } : undefined;
    const placings = Math.min(trial.jobs, 600);
    return { trial, failure, placings, ...rest };
  };
  return { attempted, attempt };
}

describe('shrinking', () => {
  it('leaves what the failure needs, and nothing else', async () => {
    const { attempt } = breaking(
      ({ plan, jobs }) => plan.faults.pause !== undefined && plan.engines >= 3 && plan.precisionMs > 0 && jobs >= 13,
    );
    const { smallest } = await shrink(await attempt(whole), { attempt });
    expect(smallest.trial).toEqual({
      workload: 'mixed',
      jobs: 13,
      plan: { ...plan, hours: 0.01, engines: 3, shape: 'fused', horizonMs: Infinity, faults: { pause: 1 } },
    });
  });

  it('keeps two faults that only together do harm', async () => {
    const { attempt } = breaking(({ plan }) => plan.faults.duplicate !== undefined && plan.faults.skew !== undefined);
    const { smallest } = await shrink(await attempt(whole), { attempt });
    expect(smallest.trial.plan.faults).toEqual({ duplicate: 0.01, skew: 10 });
  });

  it('K1: does not take another failure for the first', async () => {
    const { attempt } = breaking(
      () => true,
      ({ plan }) => (plan.faults.slow === undefined ? 'error' : 'I3'),
    );
    const { smallest } = await shrink(await attempt(whole), { attempt });
    expect(smallest.failure?.breaks).toBe('I3');
    expect(smallest.trial.plan.faults).toEqual({ slow: 0.01 });
  });

  it('K2: tries nothing twice, and stops when it is enough', async () => {
    const { attempt, attempted } = breaking(({ plan }) => plan.faults.crash !== undefined);
    const failing = await attempt(whole);
    attempted.length = 0;
    const { runs } = await shrink(failing, { attempt });
    expect(runs).toBe(attempted.length);
    expect(new Set(attempted.map((trial) => JSON.stringify(trial))).size).toBe(runs);
    expect((await shrink(failing, { attempt, enough: (runs) => runs === 3 })).runs).toBe(3);
  });

  it('cuts the hours after the failure first', async () => {
    const { attempt, attempted } = breaking(() => true);
    const failing = await attempt(whole);
    attempted.length = 0;
    await shrink(failing, { attempt });
    expect(attempted[0]!.plan).toEqual({ ...plan, hours: 5.01 });
  });
});
