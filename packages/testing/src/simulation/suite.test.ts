import { describe, expect, it } from 'vitest';
import { Violation } from './checks/monitor.js';
import { planOf } from './plan/plan.js';
import type { Trial } from './report/reproduction.js';
import { type Live, liveBuiltIn, outcomeOf, Tally } from './suite.js';

const START = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;
const trial: Trial = { plan: planOf(1, { hours: 2 }), workload: 'streams', jobs: 1 };
const call = { number: 1, task: 'ping', id: 'order-1', key: undefined, options: {} } as const;

/** A simulator that lives for three hours, whatever is asked of it; the hash of each run is the next of these. */
function living(hashes: readonly string[], violation?: Violation): Live {
  const left = [...hashes];
  return async ({ plan }, observers) => {
    for (const observe of observers) {
      observe({ what: 'call', at: START, host: 'shop', call: { ...call, call: 'schedule' } });
      observe({ what: 'call', at: START + HOUR_MS, host: 'shop', call: { ...call, call: 'cancel' } });
      observe({ what: 'healed', at: START + 3 * HOUR_MS, host: undefined });
    }
    return { plan, violation, hash: left.shift()!, events: 9, backlog: 2, records: [] };
  };
}

describe('the outcome of a run', () => {
  it('counts the placings, and the hours with faults on', async () => {
    expect(await outcomeOf(trial, living(['a']))).toMatchObject({
      trial,
      failure: undefined,
      hash: 'a',
      events: 9,
      placings: 1,
      startedAt: START,
      hours: 2,
      exemptions: 0,
      backlog: 2,
    });
  });

  it('says which invariant broke', async () => {
    const violation = new Violation('I5', 'order-1', 'it was early', START + 5);
    const { failure } = await outcomeOf(trial, living(['a'], violation));
    expect(failure).toEqual({ breaks: 'I5', about: 'order-1', text: 'it was early', at: START + 5 });
  });

  it('U1: takes an error for a failure, thrown at once or later', async () => {
    const later: Live = async () => {
      throw new Error('the world ended');
    };
    const { failure } = await outcomeOf(trial, later);
    expect(failure).toMatchObject({ breaks: 'error', text: expect.stringContaining('the world ended') });
    const unknown = { ...trial, workload: 'unheard-of' };
    expect((await outcomeOf(unknown, liveBuiltIn)).failure).toMatchObject({ breaks: 'error' });
  });

  it('U2: tells a run that does not replay from one that does', async () => {
    expect(await outcomeOf(trial, living(['a', 'a']), { twice: true })).toMatchObject({ failure: undefined, hours: 4 });
    const { failure } = await outcomeOf(trial, living(['a', 'b']), { twice: true });
    expect(failure).toMatchObject({
      breaks: 'replay',
      text: 'the hash of the first run is a, that of the second b',
    });
  });
});

it('sums up', async () => {
  const tally = new Tally();
  tally.add(await outcomeOf(trial, living(['a'])));
  const failing = await outcomeOf(trial, living(['b'], new Violation('I5', '', '', START)));
  tally.add({ ...failing, exemptions: 3, rescues: { ...failing.rescues, 'a hop was taken': 2 } });
  expect(tally).toMatchObject({ backlog: 4, seeds: 2, hours: 4, events: 18, exemptions: 3, failed: [{ hash: 'b' }] });
  expect(tally.rescues['a hop was taken']).toBe(2);
});
