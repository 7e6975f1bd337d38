import { expect, it } from 'vitest';
import { Violation } from '../checks/monitor.js';
import { planOf } from '../plan/plan.js';
import { Recent } from './recent.js';

const START = Date.UTC(2026, 0, 1);
const plan = planOf(7, { faults: { crash: 0.01, pause: 1 } });
const violation = new Violation('I2', 'order-1', 'it was done twice', START + 90_000);

function seen(recent: Recent, count: number, id = 'order-1'): void {
  const call = { call: 'cancel', number: 1, task: 'mail', id, key: undefined, options: {} } as const;
  for (let n = 0; n < count; n += 1) recent.watch({ what: 'call', at: START + n, host: 'shop', call });
}

it('gives a violation its seed, its time, its faults and its story', () => {
  const recent = new Recent();
  seen(recent, 1);
  seen(recent, 1, 'order-2');
  recent.watch({ what: 'request', at: START, host: 'engine-1', to: 'ledger', name: 'read', served: true });
  const told = recent.explain(violation, plan);
  expect(told).toMatchObject({ invariant: 'I2', about: 'order-1', text: 'it was done twice', at: START + 90_000 });
  expect(told.message.split('\n')).toEqual([
    'I2: it was done twice (order-1)',
    'at 2026-01-01 00:01:30.000 of simulated time. The same options with seed: 7 show it again.',
    'faults: crash=0.01, pause=1',
    '  2026-01-01 00:00:00.000  shop      calls cancel      order-1',
    '  2026-01-01 00:01:30.000  VIOLATION I2: it was done twice (order-1)',
  ]);
});

it('E1: keeps the end of a long run, and says so', () => {
  const recent = new Recent();
  seen(recent, 1);
  seen(recent, 60_000, 'order-2');
  const told = recent.explain(violation, plan).message.split('\n');
  expect(told.slice(2)).toEqual([
    'faults: crash=0.01, pause=1',
    'what it knows of the last part of the run:',
    '  2026-01-01 00:01:30.000  VIOLATION I2: it was done twice (order-1)',
  ]);
});
