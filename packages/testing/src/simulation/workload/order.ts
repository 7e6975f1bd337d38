// Order: one thing that business code does, with everything that it does to it later, drawn before anything happens.
//
// O1  Each order draws from a stream of its own, at a time that only the orders before it decide. So no fault changes what is
//     ordered, and fewer orders are the same first ones.
// O2  What business code must expect (a key that is taken, a payload that its schema refuses, a job that is not settled in
//     time) is an answer; any other error
//     ends the run.

import { CarillonError, type Instant } from '@carillon/core/spi';
import type { ScheduleOptions, Task, When } from '@carillon/core';
import type { Shop } from '../fleet/shop.js';
import { streamOf } from '../plan/faults.js';
import type { Plan } from '../plan/plan.js';
import { Dice } from './dice.js';
import type { Script } from './script.js';

/** A task of the built-in workloads. */
export type ScriptedTask = Task<Script>;

/** A job to be scheduled; one without an `id` among its options gets a minted one. */
export interface OrderedJob {
  readonly task: ScriptedTask;
  readonly payload: Script;
  readonly options: ScheduleOptions;
}

/** What is done to the (first) job of an order, `afterMs` after the order; a job without a key is found by its id. */
export type Edit = { readonly afterMs: number; readonly by: 'id' | 'key' } & (
  | { readonly do: 'cancel'; readonly abort: boolean }
  | { readonly do: 'reschedule'; readonly when: When }
  | { readonly do: 'look' | 'wait' }
);

/** One call of business code, with one job or a batch of them, and what follows it. */
export interface Order {
  readonly jobs: readonly [OrderedJob, ...OrderedJob[]];
  readonly edits: readonly Edit[];
}

/** How orders come: how far apart, how many, and what they are. */
export interface Ordering {
  readonly plan: Plan;
  /** The shortest and the longest time between two. */
  readonly apartMs: readonly [number, number];
  /** At most so many. */
  readonly most: number;
  /** Draws the order with this number, which is called at `now`. */
  readonly draw: (dice: Dice, number: number, now: Instant) => Order;
}

const EXPECTED: readonly string[] = ['E_KEY_EXISTS', 'E_TIMEOUT', 'E_ID', 'E_PAYLOAD'];

/** Calls order after order; rejects with the first error that is not to be expected (O2). */
export async function callOrders(shop: Shop, { plan, apartMs, most, draw }: Ordering): Promise<void> {
  await allOf(async (start) => {
    for (let number = 1; number <= most; number += 1) {
      const dice = new Dice(streamOf(plan.seed, `order-${number}`)); // O1
      await shop.sleep({ milliseconds: dice.between(...apartMs) });
      const order = draw(dice, number, shop.now.getTime());
      start(callOrder(shop, order));
    }
  });
}

/** Runs something that starts other things; rejects with the first error of any of them. */
export async function allOf(run: (start: (one: Promise<unknown>) => void) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const started: Promise<unknown>[] = [];
    const start = (one: Promise<unknown>): void => void started.push(one.catch(reject));
    run(start)
      .then(() => Promise.all(started))
      .then(() => resolve(), reject);
  });
}

async function callOrder(shop: Shop, { jobs, edits }: Order): Promise<void> {
  const orderedAt = shop.now.getTime();
  const id = await expected(() => (jobs.length === 1 ? placeOne(shop, jobs[0]) : placeMany(shop, jobs)));
  if (id === undefined) return;
  for (const edit of edits) {
    await shop.sleep({ milliseconds: Math.max(0, orderedAt + edit.afterMs - shop.now.getTime()) });
    await expected(() => perform(shop, jobs[0], id, edit));
  }
}

async function placeOne(shop: Shop, { task, payload, options }: OrderedJob): Promise<string> {
  const schedule = options.id === undefined ? shop.scheduleMinted.bind(shop) : shop.schedule.bind(shop);
  return (await schedule(task, payload, options)).id;
}

async function placeMany(shop: Shop, jobs: Order['jobs']): Promise<string | undefined> {
  const [first] = await shop.scheduleMany(jobs);
  return first?.outcome === 'refused' ? undefined : first?.id;
}

async function perform(shop: Shop, { task, options }: OrderedJob, id: string, edit: Edit): Promise<unknown> {
  const job = edit.by === 'key' && options.key !== undefined ? { key: options.key } : { id };
  switch (edit.do) {
    case 'cancel': {
      const onClaim = options.record === 'on-claim' && { record: options.record };
      return shop.cancel(task, job, { ...(edit.abort && { abort: true }), ...onClaim });
    }
    case 'reschedule':
      return shop.reschedule(task, job, edit.when);
    case 'look':
      return shop.get(task, job);
    case 'wait':
      return shop.ask((carillon) => carillon.result(task, job, { within: '20s' }));
  }
}

async function expected<A>(ask: () => Promise<A>): Promise<A | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (CarillonError.is(error) && EXPECTED.includes(error.code)) return undefined;
    throw error;
  }
}
