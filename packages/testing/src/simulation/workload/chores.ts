// Chores: what an operator does beside the orders: looks at lists, pauses and resumes, redrives what was set aside.
//
// H1  What has been paused is resumed before the run is over, however long the calls take.
// H2  A job is redriven once by its id; what is set aside again stays so, unless all of its task are redriven.

import type { JobView } from '@carillon/core';
import type { Shop } from '../fleet/shop.js';
import { streamOf } from '../plan/faults.js';
import type { Plan } from '../plan/plan.js';
import { Dice } from './dice.js';
import { allOf, type ScriptedTask } from './order.js';
import { audit, mail, plain, reminder, report } from './tasks.js';

const MINUTE_MS = 60_000;
const LONGEST_PAUSE_MS = 2 * MINUTE_MS;
const MOST_REDRIVEN = 3;

/** Does the chores of a run; never ends by itself. */
export async function chores(shop: Shop, plan: Plan): Promise<void> {
  await allOf(async (start) => {
    start(pauses(shop, plan));
    start(redrives(shop, plan));
  });
}

async function pauses(shop: Shop, plan: Plan): Promise<void> {
  const endsAt = shop.now.getTime() + plan.hours * 60 * MINUTE_MS;
  const dice = new Dice(streamOf(plan.seed, 'pauses'));
  for (;;) {
    await shop.sleep({ milliseconds: dice.between(15 * MINUTE_MS, 60 * MINUTE_MS) });
    const pauseMs = dice.between(5_000, LONGEST_PAUSE_MS);
    const target = drawTarget(dice);
    if (shop.now.getTime() + pauseMs >= endsAt) continue; // H1
    const paused = shop.ask((carillon) => carillon.pause(target));
    await shop.sleep({ milliseconds: pauseMs });
    await paused;
    await shop.ask((carillon) => carillon.paused());
    await shop.ask((carillon) => carillon.resume(target));
  }
}

function drawTarget(dice: Dice): { readonly queue: string } | { readonly task: ScriptedTask } {
  if (dice.chance(0.5)) return { queue: dice.pick(['default', 'bulk']) };
  return { task: dice.pick([plain, mail, report, reminder]) };
}

async function redrives(shop: Shop, plan: Plan): Promise<void> {
  const dice = new Dice(streamOf(plan.seed, 'redrives'));
  const redriven = new Set<string>();
  for (;;) {
    await shop.sleep({ milliseconds: dice.between(5 * MINUTE_MS, 15 * MINUTE_MS) });
    if (dice.chance(0.2)) {
      const task = dice.pick([plain, mail, audit]);
      const dueFrom = new Date(shop.now.getTime() - 60 * MINUTE_MS);
      await shop.ask((carillon) => carillon.redriveAll({ task, dueFrom }));
    }
    const later = dice.chance(0.3) ? ({ in: { seconds: dice.spread(1, 600) } } as const) : undefined;
    for (const { id } of (await setAside(shop)).filter((job) => !redriven.has(job.id)).slice(0, MOST_REDRIVEN)) {
      redriven.add(id); // H2
      await shop.redrive(id, later);
    }
  }
}

/** What waits for a person, page by page. */
async function setAside(shop: Shop): Promise<readonly JobView[]> {
  const found: JobView[] = [];
  let cursor: string | undefined;
  do {
    const from = cursor;
    const page = await shop.ask((carillon) =>
      carillon.list({ states: ['dead', 'indeterminate'], limit: 50, ...(from !== undefined && { cursor: from }) }),
    );
    found.push(...page.jobs);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}
