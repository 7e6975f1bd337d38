import { expect, test } from 'vitest';
import type { Line } from './comparison.js';
import { rowsOfLine } from './comparison.js';
import type { SystemName } from './systems/systems.js';

const figures = new Map<SystemName, Readonly<Record<string, number>>>([
  ['bare store', { 'drain.rate': 30_000, 'late.p99': 2 }],
  ['BullMQ', { 'drain.rate': 10_000, 'late.p99': 50 }],
  ['Graphile Worker', {}],
]);

const line = (fields: Partial<Line> & Pick<Line, 'figure' | 'better'>): Line => ({
  work: 'w',
  unit: 'u',
  peers: {},
  ...fields,
});

test('a ratio says how many times better ours is, whichever way the unit runs', () => {
  const peers = { BullMQ: 3.5 };
  const drain = line({ figure: (of) => of['drain.rate'], better: 'higher', peers });
  expect(rowsOfLine(drain, 'bare store', figures)).toEqual([
    { work: 'w', unit: 'u', ours: 30_000, peer: 10_000, peerName: 'BullMQ', ratio: 3, goal: 3.5 },
  ]);
  const late = line({ figure: (of) => of['late.p99'], better: 'lower', peers });
  expect(rowsOfLine(late, 'bare store', figures)[0]).toMatchObject({ ours: 2, peer: 50, ratio: 25 });
});

test('a bound makes a row of ours alone, and a peer without the figure makes none', () => {
  const late = line({
    figure: (of) => of['late.p99'],
    better: 'lower',
    bound: '<= 5',
    peers: { 'Graphile Worker': null },
  });
  expect(rowsOfLine(late, 'bare store', figures)).toEqual([
    { work: 'w', unit: 'u', ours: 2, peer: null, peerName: null, ratio: null, goal: '<= 5' },
  ]);
});

test('a missing figure of ours is an error, never a gap in the table', () => {
  const unknown = line({ figure: (of) => of['nothing'], better: 'higher' });
  expect(() => rowsOfLine(unknown, 'bare store', figures)).toThrow('bare store has no figure for: w.');
});
