// Advance: what a schedule does when it is looked at: take the slots that are due, decide what starts, find the next.
//
// V1  The next slot follows from the last one taken (G1), so whoever decides twice decides the same.
// V2  A decision takes a bounded number of slots; if more are due, the schedule is due again at once, and has come further.
// V3  Every slot that is taken starts, waits, or is missed for a reason that is told (the missed-occurrence contract).

import type { LedgerRecord } from '../ports/ledger.js';
import type { Rule } from '../rule/rule.js';
import { isSettled, readJob } from '../job/job.js';
import type { Instant } from '../time/instant.js';
import { catchUp, IN_TIME_MS } from './catch-up.js';
import { decideOverlap, type Running } from './overlap.js';
import { missed, type Miss, noted } from './memory.js';
import type { OccurrenceKey, Open, Request, Schedule, ScheduleState, Start } from './schedule.js';
import { KEPT, withBody } from './schedule.js';

/** What a schedule has decided. */
export interface Advance {
  readonly schedule: Schedule;
  /** To be placed now, each due at its own time. */
  readonly starts: readonly { readonly start: Start; readonly dueAt: Instant }[];
  /** What runs and is to be put an end to. */
  readonly stop: { readonly how: 'ask' | 'end'; readonly running: readonly Open[] } | undefined;
  readonly misses: readonly Miss[];
}

/** What a decision looks at. */
export interface Sight {
  readonly now: Instant;
  readonly rule: Rule;
  /** The schedule's name, by which its jitter is drawn. */
  readonly id: string;
  /** The record of one of the running occurrences; undefined if the ledger has it no more. */
  readonly recordOf: (running: OccurrenceKey) => LedgerRecord | undefined;
}

/** The most slots that one decision takes (V2), and the most that were excluded between two slots that are told. */
const MOST_SLOTS = 10_000;
const MOST_EXCLUDED = 1_000;
/** How soon a schedule looks again at what it waits for, should nobody tell it, in milliseconds. */
const LOOK_MS = 15_000;

/** Looks at a schedule at `now`. */
export function advance(before: Schedule, sight: Sight): Advance {
  const { now, rule, id } = sight;
  const reconciled = reconcile(before, sight);
  const taken = reconciled.state === 'active' ? take(reconciled, sight) : NOTHING_TAKEN;
  const { state } = reconciled;

  const misses = [...taken.misses];
  const wanting: Start[] = [];
  let room = reconciled.body.remaining ?? Infinity;
  for (const start of [...(reconciled.body.waiting ?? []), ...taken.starts]) {
    const asked = start.request !== undefined;
    if (!asked && state !== 'active') misses.push(missed(start.slot, state === 'paused' ? 'paused' : 'ended'));
    else wanting.push(start);
  }
  wanting.push(...(reconciled.body.requests ?? []).flatMap((request) => asked(request, rule)));

  const running = reconciled.body.running ?? [];
  const decided = decideOverlap(wanting, howFar(running, sight), before.body.plan.overlap);
  for (const { start, reason } of decided.dropped) misses.push(missed(start.slot, reason));

  const starts: { start: Start; dueAt: Instant }[] = [];
  const followed: Open[] = stopped(running, decided.stop);
  for (const { start, followed: follows } of decided.starts) {
    const byRule = start.request === undefined;
    if (byRule && room <= 0) {
      misses.push(missed(start.slot, 'ended'));
      continue;
    }
    if (byRule) room -= 1;
    const { slot, origin, request } = start;
    if (follows) followed.push({ slot, origin, ...(request !== undefined && { request }) });
    starts.push({ start, dueAt: byRule ? Math.max(0, rule.dueAt(slot, id)) : now });
  }

  const next = taken.next === undefined ? reconciled.body.next : taken.next.slot;
  const { requests, remaining } = reconciled.body;
  const exhausted = remaining !== undefined && room <= 0;
  const over = state === 'active' && (next === undefined || exhausted) && decided.waiting.length === 0;
  if (over && exhausted && next !== undefined) misses.push(missed(next, 'ended')); // until then each is told as it is taken
  const { takenTo, gap, answered = [], watermark } = reconciled.body;
  const placed = starts.map(({ start }) => start);
  const after = withBody(
    { ...reconciled, state: over ? 'ended' : state },
    {
      next,
      takenTo: taken.next?.takenTo ?? takenTo,
      watermark: Math.max(watermark, settledTo([...followed, ...decided.waiting], next, now)),
      gap: gap !== undefined && next !== undefined && next <= gap.until ? gap : undefined,
      remaining: remaining === undefined ? undefined : room,
      running: listOrNone(followed),
      waiting: listOrNone(decided.waiting),
      requests: undefined,
      answered: listOrNone([...answered, ...(requests ?? []).map((request) => request.id)].slice(-KEPT.answered)),
      ...noted(reconciled.body, placed, misses, now),
      sweeps: undefined,
    },
  );
  return {
    schedule: { ...after, dueAt: dueOf(after, sight) },
    starts,
    stop: decided.stop && running.length > 0 ? { how: decided.stop, running } : undefined,
    misses,
  };
}

/** When a schedule wants to be looked at; `undefined`: not before somebody asks for it. */
export function wakeOf({ state, dueAt, body }: Schedule): Instant | undefined {
  const open = state === 'active' || body.requests !== undefined || body.waiting !== undefined;
  return open && state !== 'deleted' && state !== 'dead' ? dueAt : undefined;
}

function dueOf({ state, body, dueAt }: Schedule, { now, rule, id }: Pick<Sight, 'now' | 'rule' | 'id'>): Instant {
  if (body.requests !== undefined || (body.waiting !== undefined && body.running === undefined)) return now;
  const next = state === 'active' && body.next !== undefined ? Math.max(0, rule.dueAt(body.next, id)) : undefined;
  if (body.waiting === undefined) return next ?? dueAt;
  return Math.min(next ?? Infinity, now + LOOK_MS);
}

/** What has ended since the last look: its result is kept, and a failure may pause the schedule. */
function reconcile(schedule: Schedule, { recordOf }: Sight): Schedule {
  const { running = [], plan } = schedule.body;
  if (running.length === 0) return schedule;
  let state: ScheduleState = schedule.state;
  let { lastResult, note } = schedule.body;
  const open = running.filter((occurrence) => {
    const record = recordOf(occurrence);
    if (record === undefined) return false; // it ended long ago and was forgotten
    const job = readJob(record);
    if (!isSettled(job)) return true;
    if (job.state === 'done') lastResult = job.body.result;
    const failed = (job.state === 'dead' || job.state === 'indeterminate') && occurrence.stopping !== true;
    if (failed && plan.pauseOnFailure === true && state === 'active') {
      state = 'paused';
      note = `paused because its occurrence of ${new Date(occurrence.slot).toISOString()} failed`;
    }
    return false;
  });
  return withBody({ ...schedule, state }, { running: listOrNone(open), lastResult, note });
}

/** What still runs after it was stopped or asked to. */
function stopped(running: readonly Open[], stop: 'ask' | 'end' | undefined): Open[] {
  if (stop === 'end') return [];
  return stop === 'ask' ? running.map((open) => ({ ...open, stopping: true })) : [...running];
}

function howFar(running: readonly OccurrenceKey[], { recordOf }: Sight): Running {
  if (running.length === 0) return 'nothing';
  return running.some((occurrence) => recordOf(occurrence)?.lease !== undefined) ? 'busy' : 'idle';
}

interface Taken {
  readonly starts: readonly Start[];
  readonly misses: readonly Miss[];
  /** The slot after those taken; `undefined` if none was taken. */
  readonly next: { readonly slot: Instant | undefined; readonly takenTo: Instant } | undefined;
}

const NOTHING_TAKEN: Taken = { starts: [], misses: [], next: undefined };

/** Takes the slots that are due (V1, V2). */
function take({ body }: Schedule, { now, rule, id }: Sight): Taken {
  const slots: Instant[] = [];
  const misses: Miss[] = [];
  const latenessMs = (slot: Instant): number => now - Math.max(0, rule.dueAt(slot, id));
  let slot = body.next;
  let takenTo = body.takenTo;
  for (let count = 0; slot !== undefined && latenessMs(slot) >= 0 && count < MOST_SLOTS; count += 1) {
    if (body.gap !== undefined && slot <= body.gap.until) misses.push(missed(slot, body.gap.reason));
    else slots.push(slot);
    for (const out of rule.excluded(takenTo, slot, MOST_EXCLUDED)) misses.push(missed(out, 'excluded'));
    takenTo = slot;
    slot = rule.next(slot);
  }
  if (slots.length === 0 && misses.length === 0) return NOTHING_TAKEN;
  const more = slot !== undefined && latenessMs(slot) >= 0;
  const { run, tooLate } = catchUp(slots, more, body.plan.catchUp, latenessMs);
  const late = tooLate.map((one) => missed(one, 'too-late'));
  const starts = run.map((one): Start => ({
    slot: one,
    origin: latenessMs(one) > IN_TIME_MS ? 'catch-up' : 'schedule',
  }));
  return { starts, misses: [...misses, ...late], next: { slot, takenTo } };
}

/** The occurrences that a request asks for (both ends of a backfill included). */
function asked(request: Request, rule: Rule): readonly Start[] {
  const more = { request: request.id, ...(request.overlap && { overlap: request.overlap }) };
  if (request.ask === 'trigger') return [{ slot: request.at, origin: 'trigger', ...more }];
  const starts: Start[] = [];
  let slot = rule.next(request.from - 1);
  while (slot !== undefined && slot <= request.to && starts.length < KEPT.waiting) {
    starts.push({ slot, origin: 'backfill', ...more });
    slot = rule.next(slot);
  }
  return starts;
}

/** Every slot up to here is settled. */
function settledTo(open: readonly Start[], next: Instant | undefined, now: Instant): Instant {
  const slots = open.filter(({ request }) => request === undefined).map(({ slot }) => slot);
  const before = slots.length > 0 ? Math.min(...slots) : (next ?? now + 1);
  return Math.min(before, now + 1) - 1;
}

function listOrNone<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}
