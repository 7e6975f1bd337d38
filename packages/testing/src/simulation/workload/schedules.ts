// Schedules: a few chains, put by replicas at their start and by business code, and edited, paused, triggered, backfilled and
// deleted at bad moments: around the turn of a minute, where their slots are. Their periods are minutes or, for runs of days,
// quarters of an hour and more.
//
// S1  What an occurrence does follows from its slot alone: its payload holds several scripts.
// S2  Of the declared schedules one is the same in both versions of the program, one is ordered by its version, one flaps.

import {
  type CatchUpSpec,
  defineTask,
  implement,
  type Overlap,
  type ScheduleSpec,
  type Task,
  type TaskDefinition,
} from '@carillon/core';
import { CarillonError } from '@carillon/core/spi';
import type { Machine } from '../fleet/host.js';
import type { Shop } from '../fleet/shop.js';
import { streamOf } from '../plan/faults.js';
import type { Plan } from '../plan/plan.js';
import { Dice } from './dice.js';
import { allOf } from './order.js';
import { drawActs, type Script, scripted } from './script.js';
import type { Workload } from './workload.js';

type Rota = readonly Script[];

/** Nothing but defaults. */
const beat = defineTask<Rota>('beat', { attempts: 5 });
/** In another queue, and one at a time on each engine. */
const round = defineTask<Rota>('round', { queue: 'bulk', timeout: '5m', attempts: 3, concurrency: 2 });
/** Attempted once, whatever happens. */
const toll = defineTask<Rota>('toll', { attempts: 'never-again', timeout: '5m' });
/** Declared in code. */
const chore = defineTask<Rota>('chore', { timeout: '2m', attempts: 3 });

const TASKS: readonly Task<Rota>[] = [beat, round, toll];
const MINUTE_MS = 60_000;
const IDS = 6;
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'] as const;
const OVERLAPS: readonly [Overlap, ...Overlap[]] = [
  'skip',
  'buffer-one',
  'buffer-all',
  'cancel-other',
  'terminate-other',
  'allow',
];
const EXPECTED: readonly string[] = ['E_SCHEDULE_UNKNOWN', 'E_SCHEDULE_CHANGED'];

/** How far slots are apart. */
interface Pace {
  /** What short periods are made of, in minutes. */
  readonly unit: number;
  readonly crons: readonly [string, ...string[]];
  readonly skipping: ScheduleSpec;
  readonly calendar: ScheduleSpec;
  /** Declared in code; of two, the first is the old version's. */
  readonly same: ScheduleSpec;
  readonly versioned: readonly [ScheduleSpec, ScheduleSpec];
  readonly flapping: readonly [ScheduleSpec, ScheduleSpec];
}

const MINUTES: Pace = {
  unit: 1,
  crons: ['*/1 * * * *', '*/2 * * * *', '*/5 * * * *', '*/20 * * * *'],
  skipping: { cron: ['*/7 * * * *', '*/30 * * * *'], skip: { cron: '0-20 * * * *' } },
  calendar: { calendar: { minute: { from: 0, to: 59, step: 3 }, hour: '*' }, holidays: ['2026-01-02'] },
  same: { cron: '*/5 * * * *', timezone: 'Europe/Berlin' },
  versioned: [{ every: '10m' }, { every: '4m', overlap: 'buffer-one' }],
  flapping: [{ cron: '*/3 * * * *' }, { cron: '*/2 * * * *', jitter: '20s' }],
};

const QUARTERS: Pace = {
  unit: 15,
  crons: ['*/15 * * * *', '0 */2 * * *', '30 9 * * 1-5', '0 0 * * *'],
  skipping: { cron: ['10 * * * *', '0 9 * * *'], skip: { cron: '* 0-6 * * *' } },
  calendar: { calendar: { minute: 45, hour: { from: 0, to: 23, step: 3 } }, holidays: ['2026-01-02', '2026-01-06'] },
  same: { cron: '0 * * * *', timezone: 'Europe/Berlin' },
  versioned: [{ every: '4h' }, { every: '90m', overlap: 'buffer-one' }],
  flapping: [{ cron: '*/45 * * * *' }, { cron: '*/30 * * * *', jitter: '20s' }],
};

/** Puts some schedules, then does something to one every few minutes. */
export const schedules: Workload = chainsOf(MINUTES);

/** The same with a fifteenth of the work: for runs of a week. */
export const weeks: Workload = chainsOf(QUARTERS);

function chainsOf(pace: Pace): Workload {
  return (plan, { jobs = Infinity } = {}) => ({
    program: (machine) => program(machine, pace),
    drive: (shop) =>
      allOf(async (start) => {
        for (let number = 1; number <= jobs; number += 1) {
          const dice = new Dice(streamOf(plan.seed, `order-${number}`));
          const isFirst = number <= IDS;
          const now = shop.now.getTime();
          await shop.sleep({ milliseconds: isFirst ? dice.between(0, 2_000) : untilBadMoment(dice, now, pace) });
          start(order(shop, dice, { plan, pace, number }));
        }
      }),
  });
}

function program(machine: Machine, { same, versioned, flapping }: Pace): readonly TaskDefinition[] {
  const run = scripted(machine);
  const define = (task: Task<Rota>): TaskDefinition =>
    implement(task, async (rota: Rota, attempt) => {
      const slot = attempt.occurrence?.slot.getTime() ?? 0;
      return run(rota[Math.floor(slot / MINUTE_MS) % rota.length]!, attempt); // S1
    });
  const declare = (id: string, spec: ScheduleSpec): TaskDefinition => {
    const task = { ...chore, name: id };
    return {
      ...define(task),
      recurring: { id, spec, payload: [{ order: 0, acts: [{ do: 'return', afterMs: 2_000 }] }] },
    };
  };
  const version = machine.version === 1 ? 1 : 2;
  return [
    ...TASKS.map(define),
    declare('same', same),
    declare('versioned', { ...versioned[version - 1]!, version }),
    declare('flapping', flapping[version - 1]!),
  ];
}

/** Some time on; every other time within a second of when slots are. */
function untilBadMoment(dice: Dice, now: number, { unit }: Pace): number {
  const unitMs = unit * MINUTE_MS;
  const at = now + dice.between(1, 4) * unitMs;
  if (dice.chance(0.5)) return at - now;
  return Math.max(0, Math.ceil(at / unitMs) * unitMs + dice.between(-1_000, 1_000) - now);
}

/** Which order of a run it is. */
interface Order {
  readonly plan: Plan;
  readonly pace: Pace;
  readonly number: number;
}

async function order(shop: Shop, dice: Dice, { plan, pace, number }: Order): Promise<void> {
  const id = `rota-${number <= IDS ? number : dice.between(1, IDS)}`;
  const act = number <= IDS ? 'put' : dice.weighted(ACTS);
  try {
    await perform(shop, dice, { act, id, pace, name: `${plan.seed}.${number}` });
  } catch (error) {
    if (!(CarillonError.is(error) && EXPECTED.includes(error.code))) throw error;
  }
}

type Act = 'put' | 'edit' | 'pause' | 'resume' | 'trigger' | 'backfill' | 'delete' | 'replace';

const ACTS: readonly (readonly [weight: number, act: Act])[] = [
  [8, 'put'],
  [3, 'edit'],
  [4, 'pause'],
  [6, 'resume'],
  [5, 'trigger'],
  [3, 'backfill'],
  [1, 'delete'],
  [2, 'replace'],
];

/** What is done, to which schedule. */
interface Deed {
  readonly act: Act;
  readonly id: string;
  readonly pace: Pace;
  /** What requests are named by. */
  readonly name: string;
}

async function perform(shop: Shop, dice: Dice, { act, id, pace, name }: Deed): Promise<unknown> {
  const unitMs = pace.unit * MINUTE_MS;
  const put = (edition?: number) =>
    shop.schedules.put(id, dice.pick([beat, beat, round, toll]), drawSpec(dice, pace), drawRota(dice), {
      ...(edition !== undefined && { edition }),
    });
  const overlap = dice.chance(0.3) && { overlap: dice.pick(OVERLAPS) };
  switch (act) {
    case 'put':
      return put();
    case 'edit':
      return put((await shop.schedules.get(id))?.edition ?? 0);
    case 'pause':
      return shop.schedules.pause(id, { note: 'for a while' });
    case 'resume':
      return shop.schedules.resume(id);
    case 'trigger':
      return shop.schedules.trigger(id, { id: `t${name}`, ...overlap });
    case 'backfill': {
      const to = shop.now.getTime() + dice.between(-60, 5) * unitMs;
      const range = { from: new Date(to - dice.between(0, 20) * unitMs), to: new Date(to) };
      return shop.schedules.backfill(id, range, { id: `b${name}`, ...overlap });
    }
    case 'delete':
      return shop.schedules.delete(id);
    case 'replace':
      await shop.schedules.delete(id);
      return put();
  }
}

function drawRota(dice: Dice): Rota {
  return Array.from({ length: dice.between(1, 4) }, (_, order) => ({ order, acts: drawActs(dice) }));
}

function drawSpec(dice: Dice, { unit, crons, skipping, calendar }: Pace): ScheduleSpec {
  const times = dice.weighted<ScheduleSpec>([
    [4, { every: { minutes: dice.pick([1, 2, 5, 15, 60]) * unit } }],
    [1, { every: { minutes: 10 * unit }, offset: { seconds: dice.between(1, 500) } }],
    [3, { cron: dice.pick(crons), timezone: dice.pick(ZONES) }],
    [2, { cron: `${dice.between(0, 29)},${dice.between(30, 59)} 0-22/2,23 * * *`, timezone: dice.pick(ZONES) }],
    [1, skipping],
    [1, calendar],
  ]);
  return {
    ...times,
    overlap: dice.pick(OVERLAPS),
    ...(dice.chance(0.5) && { catchUp: drawCatchUp(dice, unit) }),
    ...(dice.chance(0.25) && { jitter: { seconds: dice.between(1, 40) } }),
    ...(dice.chance(0.15) && { spread: { seconds: dice.between(1, 90) } }),
    ...(dice.chance(0.2) && { limit: dice.spread(1, 60) }),
    ...(dice.chance(0.15) && { pauseOnFailure: true }),
  };
}

function drawCatchUp(dice: Dice, unit: number): CatchUpSpec {
  return {
    mode: dice.pick(['all', 'all', 'once', 'skip']),
    within: { minutes: dice.spread(1, 300) * unit },
    ...(dice.chance(0.3) && { most: dice.spread(1, 100) }),
  };
}
