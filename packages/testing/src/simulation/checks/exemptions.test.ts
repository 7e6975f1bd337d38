import { expect, test } from 'vitest';
import type { Observation } from '../observation.js';
import { Exemptions } from './exemptions.js';

function forgotten(kind: string, id: string, at = 1): Observation {
  return {
    what: 'forgotten',
    at,
    host: undefined,
    key: { kind, id, partition: '00' },
    before: undefined,
    after: undefined,
  };
}

test('E1: exempt is the job whose record was forgotten, since then, and no other', () => {
  const exemptions = new Exemptions();
  exemptions.watch(forgotten('job', 'a', 1));
  exemptions.watch(forgotten('job', 'a', 2));
  expect([exemptions.has('a'), exemptions.has('b'), exemptions.count]).toEqual([true, false, 1]);
  expect([exemptions.at('a'), exemptions.at('b')]).toEqual([2, undefined]);
});

test('E1: a forgotten alias, answer or pointer exempts names and keys, but no job', () => {
  const exemptions = new Exemptions();
  for (const kind of ['alias', 'answer']) exemptions.watch(forgotten(kind, kind));
  exemptions.watch(forgotten('key', 'mail/k'));
  expect(['alias', 'answer', 'mail/k'].map((id) => exemptions.hasName(id))).toEqual([true, true, false]);
  expect([exemptions.hasKey('mail', 'k'), exemptions.hasKey('report', 'k')]).toEqual([true, false]);
  expect([exemptions.has('alias'), exemptions.has('mail/k'), exemptions.count]).toEqual([false, false, 0]);
});
