import { expect, test } from 'vitest';
import { streamOf } from '../plan/faults.js';
import { Incarnation } from './host.js';
import { World } from './world.js';

const HOUR_MS = 3_600_000;

function processOf(options = {}): { readonly world: World; readonly process: Incarnation } {
  const world = new World(0, streamOf(1, 'world'));
  return { world, process: new Incarnation(world, 'engine-1', options) };
}

test('H1: nothing reaches a process that has crashed, and who waits for its end is told once', async () => {
  const { world, process } = processOf();
  const seen: string[] = [];
  const { signal } = process.untilStill();
  process.onCrash(() => seen.push('ended'));
  process.onCrash(() => seen.push('given up'))();
  process.clock.after(10, () => seen.push('timer'));
  process.clock.soon(() => seen.push('soon'));
  process.crash();
  process.crash();
  process.deliver(() => seen.push('answer'));
  await world.runUntil(HOUR_MS);
  expect(seen).toEqual(['ended']);
  expect(signal.aborted).toBe(true);
  process.onCrash(() => seen.push('too late'));
  expect(seen).toEqual(['ended', 'too late']);
  expect(process.untilStill().signal.aborted).toBe(true);
});

test('H1: what comes while a process stands still reaches it when it goes on, in order', async () => {
  const { world, process } = processOf();
  const seen: string[] = [];
  const note = (what: string) => (): void => void seen.push(`${what} at ${world.now}`);
  const { signal } = process.untilStill();
  process.clock.after(10, note('timer'));
  process.pause();
  expect(signal.aborted).toBe(true);
  process.deliver(note('answer'));
  await world.runUntil(1000);
  expect(seen).toEqual([]);
  process.resume();
  expect(process.untilStill().signal.aborted).toBe(false);
  await world.runUntil(2000);
  expect(seen).toEqual(['answer at 1000', 'timer at 1000']);
});

test('H1: what a process would have gone on with is gone if it crashes while it stands still, or right after', async () => {
  for (const goesOn of [false, true]) {
    const { world, process } = processOf();
    const seen: string[] = [];
    process.pause();
    process.deliver(() => seen.push('answer'));
    if (goesOn) process.resume();
    process.crash();
    process.resume();
    await world.runUntil(1000);
    expect(seen).toEqual([]);
  }
});

test('who waits until a process stands still is let go by another signal too', () => {
  const { process } = processOf();
  const controller = new AbortController();
  const waiting = process.untilStill(controller.signal);
  const given = process.untilStill(controller.signal);
  given.end();
  controller.abort();
  expect([waiting.signal.aborted, given.signal.aborted]).toEqual([true, false]);
  expect(process.untilStill(controller.signal).signal.aborted).toBe(true);
});

test('H2: a process sees time through a clock that is shifted and drifts, and its timers keep to that clock', async () => {
  const { world, process } = processOf({ skew: { offsetMs: -500, drift: 0.01 } });
  expect(process.clock.now()).toBe(-500);
  let firedAt = 0;
  process.clock.after(HOUR_MS, () => (firedAt = world.now));
  await world.runUntil(2 * HOUR_MS);
  expect(process.clock.now()).toBe(2 * HOUR_MS * 1.01 - 500);
  expect(process.clock.monotonic()).toBe(2 * HOUR_MS * 1.01);
  expect(firedAt).toBe(Math.ceil(HOUR_MS / 1.01));
});
