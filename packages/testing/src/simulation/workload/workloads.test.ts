import { describe, expect, test } from 'vitest';
import type { Call, Observation, Observer } from '../observation.js';
import { planOf, type PlanChoices } from '../plan/plan.js';
import { run, type RunResult } from '../run.js';
import { seededRandom } from '../../seeded-random.js';
import { Dice } from './dice.js';
import { drawActs } from './script.js';
import { WORKLOADS } from './workloads.js';
import type { Size } from './workload.js';

const NAMES = Object.keys(WORKLOADS);
const AMENDS = new Set<string>(['cancel', 'reschedule', 'redrive']);
const CALM: PlanChoices = { engines: 1, shape: 'apart', precisionMs: 0, horizonMs: 600_000, faults: {} };

function live(name: string, seed: number, choices: PlanChoices, size?: Size, watch?: Observer): Promise<RunResult> {
  const plan = planOf(seed, { ...CALM, ...choices });
  return run(plan, WORKLOADS[name]!(plan, size), [], watch === undefined ? [] : [watch]);
}

/** The jobs that are scheduled, and what is asked of schedules, in the order of the calls. */
async function ordered(name: string, choices: PlanChoices, size?: Size): Promise<readonly Call[]> {
  const calls: Call[] = [];
  await live(name, 7, { hours: name === 'weeks' ? 4 : 0.25, ...choices }, size, (observation) => {
    if (observation.what === 'call' && !AMENDS.has(observation.call.call)) calls.push(observation.call);
  });
  return calls;
}

const asked = (calls: readonly Call[]): readonly unknown[] =>
  calls.map(({ call, task, key, options }) => [call, task, key, { ...options, id: undefined }]);

describe.each(NAMES)('%s', { timeout: 60_000 }, (name) => {
  test('a seed run twice is the same run', async () => {
    const choices: PlanChoices = { hours: 0.25, faults: { crash: 0.001, 'send-lost': 0.02 } };
    const [one, other] = [await live(name, 3, choices), await live(name, 3, choices)];
    expect(one.events).toBeGreaterThan(30);
    expect(one.hash).toBe(other.hash);
  });

  test('O1: fewer jobs are the same first ones', async () => {
    const all = await ordered(name, {});
    const few = await ordered(name, {}, { jobs: 8 });
    expect(few.length).toBeGreaterThanOrEqual(8);
    expect(few.length).toBeLessThan(all.length);
    expect(asked(few)).toEqual(asked(all.slice(0, few.length)));
  });

  test('O1: no fault changes what is ordered', async () => {
    const calm = await ordered(name, {});
    const stormy = await ordered(name, {
      engines: 2,
      faults: { crash: 0.005, 'answer-lost': 0.05, 'ledger-down': 4 },
    });
    const texts = (calls: readonly Call[]): unknown =>
      asked(calls)
        .map((one) => JSON.stringify(one))
        .toSorted();
    expect(texts(stormy)).toEqual(texts(calm)); // in whatever order: some wait for answers
  });

  test('what is due comes to an end', async () => {
    const open = new Map<string, number>();
    let endsAt = 0;
    await live(name, 2, { hours: 0.5 }, undefined, (observation) => {
      if (observation.what === 'healed') endsAt = observation.at;
      if (observation.what !== 'record' || observation.key.kind !== 'job') return;
      const { key, after } = observation;
      if (after?.wakeAt === undefined) open.delete(key.id);
      else open.set(key.id, after.dueAt);
    });
    expect([...open].filter(([, dueAt]) => dueAt < endsAt)).toEqual([]);
  });
});

describe('mixed', () => {
  const seen = new Set<string>();
  const see: Observer = (observation: Observation) => {
    if (observation.what === 'answer') {
      const { call, failed, answer } = observation;
      const { outcome, code } = answer as { readonly outcome?: string; readonly code?: string };
      seen.add(`${call.call} ${failed ? code : outcome}`);
    }
    if (observation.what === 'call')
      for (const option of Object.keys(observation.call.options)) seen.add(`option ${option}`);
    if (observation.what === 'attempt' && observation.moment === 'started') seen.add(`ran ${observation.attempt.task}`);
    if (observation.what === 'event') seen.add(observation.event);
    if (observation.what === 'record' && observation.key.kind === 'job') seen.add(`state ${observation.after?.state}`);
    if (observation.what === 'record' && observation.key.kind === 'pause') seen.add(`pause ${observation.change}`);
  };

  test('does everything that the API can', { timeout: 60_000 }, async () => {
    await live('mixed', 4, { hours: 8 }, undefined, see);
    const expected = [
      ...['plain', 'mail', 'charge', 'report', 'reminder', 'audit', 'beacon', 'novelty'].map((task) => `ran ${task}`),
      ...['scheduled', 'done', 'dead', 'indeterminate', 'cancelled', 'skipped'].map((state) => `state ${state}`),
      ...['scheduled', 'sent', 'kept', 'throttled', 'replaced', 'E_KEY_EXISTS', 'E_PAYLOAD'].map(
        (answer) => `schedule ${answer}`,
      ),
      ...['cancelled', 'running', 'settled', 'requested'].map((answer) => `cancel ${answer}`),
      ...['rescheduled', 'running', 'settled'].map((answer) => `reschedule ${answer}`),
      ...['in', 'at', 'timezone', 'id', 'key', 'onExisting', 'attempts', 'retry', 'timeout', 'maxLateness'].map(
        (option) => `option ${option}`,
      ),
      ...['interruptions', 'keep', 'headers', 'queue', 'record', 'abort'].map((option) => `option ${option}`),
      'redrive redriven',
      'job:hopped',
      'job:overran',
      'job:given-back',
      'pause written',
      'pause removed',
    ];
    expect(expected.filter((one) => !seen.has(one))).toEqual([]);
  });
});

test('C2: no drawn script ends with a ruling or a wait', () => {
  const dice = new Dice(seededRandom(1));
  const lasts = Array.from({ length: 500 }, () => drawActs(dice).at(-1)!.do);
  expect([...new Set(lasts)].toSorted()).toEqual(['return', 'throw']);
});
