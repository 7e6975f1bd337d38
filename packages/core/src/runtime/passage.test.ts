import { expect, test } from 'vitest';
import type { Grant } from '../ports/ledger.js';
import type { Delivery } from '../ports/transport.js';
import type { Deliveries } from './delivery.js';
import { Passage } from './passage.js';

test('P1: it ends once, whoever says so, and gives its slot back once, by then', () => {
  const told: string[] = [];
  const deliveries = { giveSlot: (queue: string) => void told.push(`slot of ${queue}`) } as unknown as Deliveries;
  const grant = { record: { task: 'work' } } as Grant;
  const end = (_: Delivery, error?: unknown): void => void told.push(`end: ${String(error)}`);
  const passage = new Passage(deliveries, { queue: 'q' } as Delivery, grant, end);
  passage.takeSlot();
  passage.failed('no');
  passage.over();
  passage.handlerEnded();
  expect(told).toEqual(['slot of q', 'end: no']);
});
