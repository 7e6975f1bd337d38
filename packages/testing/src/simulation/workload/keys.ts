// Keys: a few keys under which jobs keep being placed, replaced, moved and cancelled, close to the times at which they are due.

import type { OnExisting, ScheduleOptions } from '@carillon/core';
import type { Dice } from './dice.js';
import { callOrders, type Edit, type Order } from './order.js';
import type { Act } from './script.js';
import { audit, plain, reminder, scriptedProgram } from './tasks.js';
import type { Workload } from './workload.js';

const KEYS = 3;

/** Many edits of few keys. */
export const keys: Workload = (plan, { jobs = Infinity } = {}) => ({
  program: scriptedProgram,
  drive: (shop) => callOrders(shop, { plan, apartMs: [8_000, 50_000], most: jobs, draw: drawOrder }),
});

function drawOrder(dice: Dice, number: number): Order {
  const dueMs = dice.spread(500, 60_000);
  const workMs = dice.weighted([
    [3, dice.between(0, 500)],
    [3, dice.between(2_000, 15_000)],
    [1, dice.between(35_000, 70_000)],
  ]);
  const acts: readonly Act[] = dice.chance(0.25)
    ? [{ do: 'throw', afterMs: workMs, what: 'error' }, drawEnd(dice, workMs)]
    : [drawEnd(dice, workMs)];
  const onExisting = dice.weighted<OnExisting>([
    [5, 'replace'],
    [2, 'throttle'],
    [1, 'keep'],
    [1, 'error'],
  ]);
  const options: ScheduleOptions = {
    in: { milliseconds: dueMs },
    key: `key-${dice.between(1, KEYS)}`,
    onExisting,
    timeout: '2m', // for those that wait to be told to stop
    ...(dice.chance(0.8) && { id: `order-${String(number).padStart(6, '0')}` }),
  };
  const edits: Edit[] = [];
  while (edits.length < 3 && dice.chance(0.5)) edits.push(drawEdit(dice, dueMs, workMs));
  return {
    jobs: [{ task: dice.pick([plain, reminder, audit]), payload: { order: number, acts }, options }],
    edits: edits.toSorted((one, other) => one.afterMs - other.afterMs),
  };
}

/** Some wait until a cancel tells them to stop. */
function drawEnd(dice: Dice, workMs: number): Act {
  return dice.chance(0.1) ? { do: 'hang', then: 'throw', forMs: 0 } : { do: 'return', afterMs: workMs };
}

/** Around the due time, while the handler runs, or just after. */
function drawEdit(dice: Dice, dueMs: number, workMs: number): Edit {
  const afterMs = Math.max(
    0,
    dueMs + (dice.chance(0.5) ? dice.between(-300, 300) : dice.between(-1_500, workMs + 4_000)),
  );
  const by = dice.weighted<Edit['by']>([
    [2, 'key'],
    [1, 'id'],
  ]);
  if (dice.chance(0.4)) return { do: 'cancel', afterMs, by, abort: dice.chance(0.5) };
  return { do: 'reschedule', afterMs, by, when: { in: { milliseconds: dice.spread(1, 45_000) } } };
}
