import { expect, test } from 'vitest';
import type { Observation } from '../observation.js';
import { HostClocks } from './host-clocks.js';

const HOST = 'engine-1';
const boot = (at: number): Observation => ({ at, host: HOST, what: 'host', change: 'started', version: 2 });
const measures = (at: number): Observation => {
  return { at, host: HOST, what: 'request', to: 'ledger', name: 'now', served: true };
};
const fault = (at: number, name: 'slow' | 'clock-step', about = ''): Observation => {
  return { at, host: name === 'slow' ? HOST : undefined, what: 'fault', fault: name, about };
};

/** How far off the host may be at an instant, after these have happened. */
function errorMs(at: number, ...happened: readonly Observation[]): number {
  const clocks = new HostClocks();
  for (const one of [boot(0), ...happened]) clocks.watch(one);
  return clocks.errorMs(HOST, at);
}

test('C1: one that has measured is nearly right, until a slow answer, and again once that can not come any more', () => {
  expect(errorMs(0, measures(0))).toBe(50);
  expect(errorMs(0, fault(0, 'slow', 'now'))).toBe(20_050);
  expect(errorMs(0, fault(0, 'slow', 'commit'))).toBe(50);
  expect(errorMs(20_000, fault(0, 'slow', 'now'), measures(20_000))).toBe(20_052);
  expect(errorMs(20_001, fault(0, 'slow', 'now'), measures(20_001))).toBeLessThan(60);
});

test("C2: it wears off with time and with the steps of the ledger's clock, until the next measurement", () => {
  expect(errorMs(3_600_000)).toBe(410);
  expect(errorMs(2, fault(1, 'clock-step'), fault(2, 'clock-step'))).toBeCloseTo(6_050);
  expect(errorMs(2, fault(1, 'clock-step'), measures(2))).toBeCloseTo(50);
});
