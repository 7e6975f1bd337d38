// Hops: jobs that are due far beyond the horizon, many by the clocks of zones that change over to summer or winter time on the
// way, with edits before they are there.

import type { Instant } from '@carillon/core/spi';
import type { When } from '@carillon/core';
import { streamOf } from '../plan/faults.js';
import type { Plan } from '../plan/plan.js';
import { Dice } from './dice.js';
import { callOrders, type Edit, type Order } from './order.js';
import { mail, plain, reminder, scriptedProgram } from './tasks.js';
import type { Workload } from './workload.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ZONES = ['Europe/Berlin', 'Europe/London', 'Atlantic/Azores', 'America/Nuuk'] as const; // all change at 01:00 UTC
const CHANGES = [Date.UTC(2026, 2, 29, 1), Date.UTC(2026, 9, 25, 1)] as const; // to summer time, and back
const EARLIEST_AHEAD_MS = 2 * HOUR_MS;

/** Long ways over a change of the clocks; the horizon is the plan's. */
export const hops: Workload = (plan, { jobs = Infinity } = {}) => ({
  program: scriptedProgram,
  startsAt: startOf(plan),
  drive: (shop) =>
    callOrders(shop, {
      plan,
      apartMs: [30_000, 120_000],
      most: jobs,
      draw: (dice, number, now) => drawOrder(dice, number, now, plan),
    }),
});

/** Some time before a change of the clocks, which falls into the run if that is long enough. */
function startOf({ seed, hours }: Plan): Instant {
  const dice = new Dice(streamOf(seed, 'start'));
  return dice.pick(CHANGES) - Math.min(EARLIEST_AHEAD_MS, (hours * HOUR_MS) / 2);
}

function drawOrder(dice: Dice, number: number, now: Instant, plan: Plan): Order {
  const aheadMs = drawAhead(dice, plan);
  const edits: Edit[] = [];
  while (edits.length < 2 && dice.chance(0.25)) edits.push(drawEdit(dice, aheadMs, now, plan));
  const moot = dice.chance(0.05) ? { moot: true as const } : {};
  return {
    jobs: [
      {
        task: dice.pick([plain, mail, reminder]),
        payload: { order: number, acts: [{ do: 'return', afterMs: dice.between(0, 500) }], ...moot },
        options: { id: `order-${String(number).padStart(6, '0')}`, ...drawWhen(dice, now, aheadMs) },
      },
    ],
    edits: edits.toSorted((one, other) => one.afterMs - other.afterMs),
  };
}

/** A few horizons if that is short, else some hours. */
function drawAhead(dice: Dice, { horizonMs, hours }: Plan): number {
  const longestMs = Math.max(HOUR_MS, hours * HOUR_MS);
  const nearMs = Math.min(horizonMs, HOUR_MS);
  return dice.spread(nearMs / 2, Math.max(nearMs, Math.min(8 * nearMs, longestMs)));
}

/** As the clocks of a zone will show it, at a quarter of the hour after, or as an instant. */
function drawWhen(dice: Dice, now: Instant, aheadMs: number): When {
  if (dice.chance(0.4)) return { at: new Date(now + aheadMs) };
  const timezone = dice.pick(ZONES);
  const shown = new Date(now + aheadMs + HOUR_MS).toLocaleString('sv-SE', { timeZone: timezone });
  return { at: `${shown.slice(0, 14)}${dice.pick(['00', '15', '30', '45'])}`, timezone };
}

function drawEdit(dice: Dice, aheadMs: number, now: Instant, plan: Plan): Edit {
  const afterMs = dice.chance(0.3) ? aheadMs - dice.between(0, 2_000) : dice.between(0, aheadMs);
  if (dice.chance(0.3)) return { do: 'cancel', afterMs, by: 'id', abort: false };
  return { do: 'reschedule', afterMs, by: 'id', when: drawWhen(dice, now + afterMs, drawAhead(dice, plan)) };
}
