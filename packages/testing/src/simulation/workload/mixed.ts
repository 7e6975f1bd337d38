// Mixed: everything that the API can do, with jobs of every kind, about forty calls an hour. The default workload.

import type { Duration, Instant } from '@carillon/core/spi';
import type { BackoffData, OnExisting, ScheduleOptions, When } from '@carillon/core';
import type { Plan } from '../plan/plan.js';
import { chores } from './chores.js';
import type { Dice } from './dice.js';
import { allOf, callOrders, type Edit, type Order, type OrderedJob, type ScriptedTask } from './order.js';
import { type Act, drawActs, type Script } from './script.js';
import { audit, beacon, charge, mail, novelty, plain, reminder, report, scriptedProgram } from './tasks.js';
import type { Workload } from './workload.js';

const KEYS = 4;
const ZONES = ['Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'UTC'] as const;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A due time, and how long after the call that is; `when` is undefined for the task's own. */
interface Timed {
  readonly when: When | undefined;
  readonly delayMs: number;
}

/** Jobs with every option, edited at bad moments, between looks, pauses and redrives. */
export const mixed: Workload = (plan, { jobs = Infinity } = {}) => ({
  program: scriptedProgram,
  drive: (shop) =>
    allOf(async (start) => {
      start(chores(shop, plan));
      const draw = (dice: Dice, number: number, now: Instant): Order => drawOrder(dice, number, now, plan);
      await callOrders(shop, { plan, apartMs: [20_000, 160_000], most: jobs, draw });
    }),
});

function drawOrder(dice: Dice, number: number, now: Instant, plan: Plan): Order {
  const timed = drawWhen(dice, now, plan);
  const jobs: [OrderedJob, ...OrderedJob[]] = [drawJob(dice, number, 0, timed.when, plan)];
  const more = dice.chance(0.06) ? dice.between(1, 4) : 0;
  for (let index = 1; index <= more; index += 1) {
    jobs.push(drawJob(dice, number, index, drawWhen(dice, now, plan).when, plan));
  }
  const [{ task }] = jobs;
  return { jobs, edits: task === beacon ? drawStop(dice, timed.delayMs) : drawEdits(dice, timed.delayMs, now, plan) };
}

function drawJob(dice: Dice, number: number, index: number, when: When | undefined, plan: Plan): OrderedJob {
  const task = dice.weighted<ScriptedTask>([
    [5, plain],
    [4, mail],
    [3, charge],
    [3, report],
    [4, reminder],
    [3, audit],
    [plan.shape === 'apart' ? 4 : 0, beacon],
    [2, novelty],
  ]);
  const acts = drawActs(dice);
  const onClaim = plan.shape === 'apart' && (task === beacon || dice.chance(0.03));
  const moot = dice.weighted<true | 'throws' | undefined>([
    [8, undefined],
    [1, true],
    [1, 'throws'],
  ]);
  const own = dice.chance(0.75);
  const tail = dice.chance(0.1) ? '-7f' : ''; // as a minted id ends that tells its partition
  const id = `order-${String(number).padStart(6, '0')}${index === 0 ? '' : `.${index}`}${tail}`;
  const refused = task === audit && dice.chance(0.05);
  const options = {
    ...when,
    ...(own && { id }),
    ...drawOverrides(dice, task, acts),
    ...(onClaim ? task !== beacon && { record: 'on-claim' } : drawKey(dice)),
    ...(dice.chance(0.1) && { headers: { trace: `trace-${number}` } }),
    ...(dice.chance(0.1) && { queue: dice.pick(['default', 'bulk']) }),
  } as ScheduleOptions;
  const payload = refused
    ? ({ order: number } as Script)
    : { order: number, acts, ...(moot !== undefined && { moot }) };
  return { task, payload, options };
}

function drawKey(dice: Dice): { key?: string; onExisting?: OnExisting } {
  if (!dice.chance(0.4)) return {};
  const key = `key-${dice.between(1, KEYS)}`;
  return dice.chance(0.2) ? { key } : { key, onExisting: dice.pick(['keep', 'replace', 'throttle', 'error']) };
}

function drawOverrides(dice: Dice, task: ScriptedTask, acts: readonly Act[]): Partial<ScheduleOptions> {
  const hangs = acts.some((act) => act.do === 'hang');
  const never = task !== charge && dice.chance(0.05);
  return {
    ...(never && { attempts: 'never-again' as const }),
    ...(!never && task !== charge && dice.chance(0.15) && { attempts: dice.between(1, 5) }),
    ...(!never && task !== charge && dice.chance(0.15) && { retry: drawRetry(dice) }),
    ...((hangs || dice.chance(0.1)) && { timeout: seconds(dice.spread(2, 60)) }), // a handler that hangs needs an end
    ...(dice.chance(0.15) && { interruptions: dice.between(1, 3) }),
    ...(dice.chance(0.08) && {
      maxLateness: { of: seconds(dice.spread(1, 600)), then: dice.pick(['skip', 'dead', 'run']) },
    }),
    ...(dice.chance(0.1) && { keep: seconds(dice.spread(60, 7_200)) }),
  };
}

function drawRetry(dice: Dice): NonNullable<ScheduleOptions['retry']> {
  const delay = seconds(dice.spread(1, 60));
  return {
    ...(dice.chance(0.5) && { for: seconds(dice.spread(30, 1_800)) }),
    ...(dice.chance(0.7) && {
      backoff: dice.pick<BackoffData>([
        { type: 'fixed', delay },
        { type: 'linear', step: delay, to: '3m', jitter: 0 },
        { type: 'exponential', from: delay, factor: 3, to: '5m' },
      ]),
    }),
  };
}

/** When a job is due: mostly soon, sometimes in hours, sometimes beyond the horizon, in every spelling. */
function drawWhen(dice: Dice, now: Instant, { horizonMs }: Plan): Timed {
  if (dice.chance(0.1)) return { when: undefined, delayMs: 30_000 };
  const beyond = horizonMs === Infinity ? 30 * HOUR_MS : 1.5 * horizonMs;
  const delayMs = dice.weighted([
    [1, 0],
    [5, dice.spread(500, MINUTE_MS)],
    [4, dice.spread(MINUTE_MS, 30 * MINUTE_MS)],
    [1, dice.spread(30 * MINUTE_MS, 4 * HOUR_MS)],
    [0.5, dice.spread(HOUR_MS, Math.max(2 * HOUR_MS, beyond))],
  ]);
  return { when: spelled(dice, now, delayMs), delayMs };
}

function spelled(dice: Dice, now: Instant, delayMs: number): When {
  const at = new Date(now + delayMs);
  return dice.weighted<() => When>([
    [5, () => ({ in: { milliseconds: delayMs } })],
    [2, () => ({ at })],
    [1, () => ({ at: at.toISOString() })],
    [1, () => ({ at: `${at.toISOString().slice(0, -1)}+00:00` })],
    [2, () => wallTime(at, dice.pick(ZONES))],
  ])();
}

/** What the clocks of a zone show at an instant, as far as they run in whole hours and minutes off UTC. */
function wallTime(at: Date, timezone: string): When {
  return { at: at.toLocaleString('sv-SE', { timeZone: timezone }).replace(' ', 'T'), timezone };
}

/** A job without a record can only be cancelled, and the bad moment is when its message comes. */
function drawStop(dice: Dice, delayMs: number): readonly Edit[] {
  if (!dice.chance(0.6)) return [];
  const afterMs = Math.max(0, dice.chance(0.7) ? delayMs + dice.between(-20, 20) : drawMoment(dice, delayMs));
  return [{ do: 'cancel', afterMs, by: 'id', abort: dice.chance(0.4) }];
}

function drawEdits(dice: Dice, delayMs: number, now: Instant, plan: Plan): readonly Edit[] {
  const edits: Edit[] = [];
  while (edits.length < 3 && dice.chance(0.4)) edits.push(drawEdit(dice, delayMs, now, plan));
  return edits.toSorted((one, other) => one.afterMs - other.afterMs);
}

function drawEdit(dice: Dice, delayMs: number, now: Instant, plan: Plan): Edit {
  const afterMs = Math.max(0, drawMoment(dice, delayMs));
  const by = dice.pick(['id', 'key']);
  const kind = dice.weighted<Edit['do']>([
    [3, 'cancel'],
    [3, 'reschedule'],
    [2, 'look'],
    [1, 'wait'],
  ]);
  if (kind === 'cancel') return { do: kind, afterMs, by, abort: dice.chance(0.4) };
  if (kind !== 'reschedule') return { do: kind, afterMs, by };
  const { when } = drawWhen(dice, now + afterMs, plan);
  return { do: kind, afterMs, by, when: when ?? { in: '10s' } };
}

/** Bad moments: just before and after the due time, and while the handler runs. */
function drawMoment(dice: Dice, delayMs: number): number {
  return dice.weighted([
    [3, delayMs - dice.between(0, 1_500)],
    [3, delayMs + dice.between(0, 1_500)],
    [2, delayMs + dice.spread(1_500, 60_000)],
    [2, dice.between(0, delayMs)],
  ]);
}

function seconds(count: number): Duration {
  return { seconds: count };
}
