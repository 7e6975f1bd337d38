import { VirtualClock } from '@carillon/testing';
import { describe, expect, test } from 'vitest';
import { CarillonError } from '../errors.js';
import { silentLogger } from '../task/logger.js';
import { Availability } from './availability.js';
import { Events } from './events.js';

function setting() {
  const clock = new VirtualClock();
  const events = new Events(silentLogger);
  const heard: [string, unknown][] = [];
  events.on('backend:down', ({ reason }) => heard.push(['down', reason]));
  events.on('backend:up', ({ downMs }) => heard.push(['up', downMs]));
  const state = { answers: true, probes: [] as number[] };
  const start = clock.now();
  const probe = async (): Promise<void> => {
    state.probes.push(clock.now() - start);
    if (!state.answers) throw new Error('still down');
  };
  const random = { next: () => 1 };
  const availability = new Availability({ clock, random, log: silentLogger, events, probe });
  return { clock, availability, heard, state };
}
const outage = new Error('connection refused');

test('while the backend answers, nobody waits and nothing is asked', async () => {
  const { availability, state, clock } = setting();
  await availability.whenUp();
  expect(await availability.persist(async () => 5)).toBe(5);
  await clock.advance(60_000);
  expect(state.probes).toEqual([]);
});

describe('H1: out of reach, nothing is taken', () => {
  test('those who wait go on when it answers again, and hear how long it took', async () => {
    const { availability, state, clock, heard } = setting();
    state.answers = false;
    availability.report(outage);
    let up = false;
    void availability.whenUp().then(() => (up = true));
    await clock.advance(1_000);
    expect([availability.isDown, up]).toEqual([true, false]);
    state.answers = true;
    await clock.advance(5_000);
    expect([availability.isDown, up]).toEqual([false, true]);
    await clock.advance(10_000);
    expect(heard).toEqual([
      ['down', outage],
      ['up', state.probes.at(-1)],
    ]);
  });

  test('one outage is told once, however many calls fail of it', () => {
    const { availability, heard } = setting();
    availability.report(outage);
    availability.report(new Error('another'));
    expect(heard).toEqual([['down', outage]]);
  });

  test('H3: one that answers the probe and fails at work is told once, and its end when it has been back for a while', async () => {
    const { availability, clock, heard } = setting();
    for (let fails = 0; fails < 10; fails += 1) {
      availability.report(outage);
      await clock.advance(9_000);
      expect(availability.isDown).toBe(false);
    }
    expect(heard).toEqual([['down', outage]]);
    await clock.advance(10_000);
    expect(heard).toEqual([
      ['down', outage],
      ['up', 9 * 9_000 + 5_000],
    ]);
    availability.report(new Error('the next one'));
    expect(heard).toHaveLength(3);
  });

  test('it is asked soon, then ever more rarely, at least every five seconds', async () => {
    const { availability, state, clock } = setting();
    state.answers = false;
    availability.report(outage);
    await clock.advance(60_000);
    const waits = state.probes.map((at, index) => at - (state.probes[index - 1] ?? 0));
    expect(waits.slice(0, 8)).toEqual([50, 100, 200, 400, 800, 1_600, 3_200, 5_000]);
    expect(new Set(waits.slice(8))).toEqual(new Set([5_000]));
  });
});

describe('H2: what was asked is asked again until it is answered', () => {
  test('once per recovery, not in a loop', async () => {
    const { availability, state, clock } = setting();
    state.answers = false;
    let asked = 0;
    const answer = availability.persist(async () => {
      asked += 1;
      if (!state.answers) throw outage;
      return 'written';
    });
    await clock.advance(30_000);
    expect(asked).toBe(1);
    state.answers = true;
    await clock.advance(10_000);
    expect(await answer).toBe('written');
    expect(asked).toBe(2);
  });

  test('or until the engine gives up', async () => {
    const { availability, state, clock } = setting();
    state.answers = false;
    const answer = availability.persist(() => Promise.reject(outage));
    await clock.advance(1_000);
    availability.abandon();
    await clock.advance(10_000);
    expect(await answer).toBeUndefined();
    expect(await availability.persist(async () => 5)).toBeUndefined();
  });
});

test('H4: a record that can’t be read is told to who asked for it, and is no outage', async () => {
  const { availability, heard } = setting();
  const unreadable = new CarillonError('E_STORE_VERSION', 'another format', { next: 'start the newer one' });
  await expect(availability.persist(() => Promise.reject(unreadable))).rejects.toBe(unreadable);
  availability.report(unreadable);
  expect([availability.isDown, heard]).toEqual([false, []]);
});
