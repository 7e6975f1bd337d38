import { Tally } from '@carillon/testing/simulation';
import { expect, it } from 'vitest';
import { isTooTame } from './tameness.js';

const usual = { workload: 'mixed', jobs: Infinity, choices: { hours: 24 } };
const none = new Tally().rescues;
const all = Object.fromEntries(Object.keys(none).map((name) => [name, 1])) as typeof none;
const large = { seeds: 50, hours: 1_200, rescues: none };

it('T1: holds it against a large suite that a way out of trouble was never taken', () => {
  expect(isTooTame(usual, large)).toBe(true);
  expect(isTooTame(usual, { ...large, rescues: { ...all, 'a hop was taken': 0 } })).toBe(true);
  expect(isTooTame(usual, { ...large, rescues: { ...all, 'a lost tick was healed': 0 } })).toBe(false);
  expect(isTooTame(usual, { ...large, rescues: all })).toBe(false);
});

it('T1: holds it against one of schedules that nothing befell them', () => {
  const chains = { ...usual, workload: 'schedules' };
  expect(isTooTame(chains, { ...large, rescues: { ...all, 'a lost tick was healed': 0 } })).toBe(true);
  expect(isTooTame(chains, { ...large, rescues: { ...all, 'a hop was taken': 0 } })).toBe(false);
});

it.each([
  ['of few seeds', usual, { ...large, seeds: 49 }],
  ['of few hours', usual, { ...large, hours: 999 }],
  ['of another workload', { ...usual, workload: 'streams' }, large],
  ['of few jobs', { ...usual, jobs: 5 }, large],
  ['with chosen faults', { ...usual, choices: { hours: 24, faults: {} } }, large],
  ['with a chosen shape', { ...usual, choices: { shape: 'fused' as const } }, large],
])('T1: expects nothing of a suite %s', (_which, options, tally) => {
  expect(isTooTame(options, tally)).toBe(false);
});
