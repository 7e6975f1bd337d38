import { expect, test } from 'vitest';
import { table } from './report.js';

test('a table aligns its columns and shows the two kinds of goals', () => {
  const rows = [
    { work: 'drain', unit: 'jobs/s', ours: 70123.4, peer: 20000, peerName: 'BullMQ', ratio: 3.506, goal: 3.5 },
    { work: 'lateness p99', unit: 'ms', ours: 2.5, peer: null, peerName: null, ratio: null, goal: '<= 5' },
  ];
  expect(table(rows).split('\n')).toEqual([
    'work          unit    ours    peer           ratio   goal',
    'drain         jobs/s  70,120  20,000 BullMQ  3.51 x  >= 3.5 x',
    'lateness p99  ms      2.5                            <= 5',
  ]);
});
