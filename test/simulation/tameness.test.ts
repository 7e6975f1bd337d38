import { Tally } from '@carillon/testing/simulation';
import { expect, it } from 'vitest';
import { isTooTame } from './tameness.js';

const usual = { workload: 'mixed', jobs: Infinity, choices: { hours: 24 } };
const none = new Tally().rescues;
const all = Object.fromEntries(Object.keys(none).map((name) => [name, 1])) as typeof none;
const large = { seeds: 100, hours: 2_400, rescues: none };

it('T1: holds it against a large suite that a way out of trouble was never taken', () => {
  expect(isTooTame(usual, large)).toBe(true);
  expect(isTooTame(usual, { ...large, rescues: { ...all, 'a hop was taken': 0 } })).toBe(true);
  expect(isTooTame(usual, { ...large, rescues: all })).toBe(false);
});

it.each([
  ['of few seeds', usual, { ...large, seeds: 99 }],
  ['of few hours', usual, { ...large, hours: 1_999 }],
  ['of another workload', { ...usual, workload: 'streams' }, large],
  ['of few jobs', { ...usual, jobs: 5 }, large],
  ['with chosen faults', { ...usual, choices: { hours: 24, faults: {} } }, large],
  ['with a chosen shape', { ...usual, choices: { shape: 'fused' as const } }, large],
])('T1: expects nothing of a suite %s', (_which, options, tally) => {
  expect(isTooTame(options, tally)).toBe(false);
});
