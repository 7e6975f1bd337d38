// Advance: what a schedule does when it is looked at: take the slots that are due, decide what starts, find the next.
//
// V1  The next slot follows from the last one taken (G1), so whoever decides twice decides the same.
// V2  A decision takes a bounded number of slots (K2 of take.ts); if more are due, the schedule is due again at once.
// V3  Every slot that is taken starts, waits, or is missed for a reason that is told (the missed-occurrence contract).
// V4  What was placed ahead is dealt with first; what is decided from there on is as if it had not been (ahead.ts).

import type { LedgerRecord } from '../ports/ledger.js';
import type { Rule } from '../rule/rule.js';
import { isSettled, readJob } from '../job/job.js';
import { AHEAD_MS, TAKE_MS } from '../job/ahead.js';
import type { Instant } from '../time/instant.js';
import { aheadOf, type Fate, fateOf, startOf, takeAhead, takeBack } from './ahead.js';
import { decideOverlap, type OverlapDecision, type Running } from './overlap.js';
import { missed, type Miss, noted } from './memory.js';
import type { Ahead, OccurrenceKey, Open, Request, Schedule, ScheduleState, Start } from './schedule.js';
import { KEPT, withBody } from './schedule.js';
import { nothing, take } from './take.js';

/** What a schedule has decided. */
export interface Advance {
  readonly schedule: Schedule;
  /** To be placed now, each due at its own time. */
  readonly starts: readonly { readonly start: Start; readonly dueAt: Instant }[];
  /** What runs and is to be put an end to. */
  readonly stop: { readonly how: 'ask' | 'end'; readonly running: readonly Open[] } | undefined;
  readonly misses: readonly Miss[];
  /** Was placed ahead, and its slot is taken now. */
  readonly taken?: Ahead | undefined;
  /** Was placed ahead, and is taken back; it may be among those that are to be placed. */
  readonly back?: Ahead | undefined;
  /** To be placed ahead. */
  readonly ahead?: Ahead | undefined;
}

/** What a decision looks at. */
export interface Sight {
  readonly now: Instant;
  readonly rule: Rule;
  /** The schedule's name, by which its jitter is drawn. */
  readonly id: string;
  /** The record of one of the running occurrences; undefined if the ledger has it no more. */
  readonly recordOf: (running: OccurrenceKey) => LedgerRecord | undefined;
  /** Whether occurrences may be placed ahead: their messages could not be taken back. */
  readonly placesAhead: boolean;
}

/** How soon a schedule looks again at what it waits for, should nobody tell it, in milliseconds. */
const LOOK_MS = 15_000;

/** Looks at a schedule at `now`. */
export function advance(before: Schedule, sight: Sight): Advance {
  const { now, rule, id } = sight;
  const { ahead } = before.body;
  const fate = ahead && fateOf(before, ahead, sight.recordOf(startOf(ahead)), now);
  const since = settleAhead(before, fate, sight); // V4
  const standing = reconcile(since, sight);
  const { state, body } = standing;
  const { running = [], requests = [], answered = [], gap, plan } = body;
  const taken = state === 'active' ? take(body, sight) : nothing(body);

  const { wanting, given } = wantingOf(standing, taken.starts, rule);
  const decided = decideOverlap(wanting, howFar(running, sight), plan.overlap);
  const { starts, beyond, remaining } = limited(decided.starts, body.remaining);
  const dropped = decided.dropped.map(({ start, reason }) => missed(start.slot, reason));
  const misses = [...taken.misses, ...given, ...dropped, ...beyond];

  const { next, takenTo, toldTo } = taken.course;
  const isOver = state === 'active' && !taken.more && decided.waiting.length === 0;
  const ended = isOver && (next === undefined || remaining === 0);
  if (ended && next !== undefined) misses.push(missed(next, 'ended')); // until then each is told as it is taken
  const followed = [...stopped(running, decided.stop), ...starts.filter(({ followed }) => followed).map(openOf)];
  const placed = starts.map(({ start }) => start);
  const after = withBody(
    { ...standing, state: ended ? 'ended' : state },
    {
      next,
      takenTo,
      toldTo,
      watermark: Math.max(body.watermark, settledTo([...followed, ...decided.waiting], next, now)),
      gap: gap !== undefined && next !== undefined && next <= gap.until ? gap : undefined,
      remaining,
      running: listOrNone(followed),
      waiting: listOrNone(decided.waiting),
      requests: undefined,
      answered: listOrNone([...answered, ...requests.map((request) => request.id)].slice(-KEPT.answered)),
      ...noted(body, placed, misses, now),
      sweeps: undefined,
    },
  );
  const toPlace = sight.placesAhead && fate !== 'back' ? aheadOf(after, rule, id, now) : undefined;
  const armed = toPlace === undefined ? after : withBody(after, { ahead: toPlace });
  return {
    schedule: { ...armed, dueAt: dueOf(armed, sight) },
    starts: placed.map((start) => ({ start, dueAt: dueAtOf(start, sight) })),
    stop: decided.stop && running.length > 0 ? { how: decided.stop, running } : undefined,
    misses,
    ...(fate === 'taken' && { taken: ahead }),
    ...(fate === 'back' && { back: ahead }),
    ...(toPlace !== undefined && { ahead: toPlace }),
  };
}

/** The schedule once it is decided what becomes of the occurrence that was placed ahead. */
function settleAhead(schedule: Schedule, fate: Fate | undefined, { rule, now }: Sight): Schedule {
  const { ahead } = schedule.body;
  if (fate === 'taken' && ahead !== undefined) return takeAhead(schedule, ahead, rule, now);
  return fate === 'back' ? takeBack(schedule) : schedule;
}

/** When a schedule wants to be looked at; `undefined`: not before somebody asks for it. Where occurrences are placed ahead, that
 *  is early enough to place what comes next, and then some time after it. */
export function wakeOf({ state, dueAt, body }: Schedule, now: Instant, placesAhead: boolean): Instant | undefined {
  const open = state === 'active' || body.requests !== undefined || body.waiting !== undefined;
  if (!open || state === 'deleted' || state === 'dead') return undefined;
  if (body.ahead !== undefined) return body.ahead.dueAt + TAKE_MS;
  return placesAhead && dueAt - AHEAD_MS > now ? dueAt - AHEAD_MS : dueAt;
}

function dueOf({ state, body, dueAt }: Schedule, { now, rule, id }: Pick<Sight, 'now' | 'rule' | 'id'>): Instant {
  if (body.requests !== undefined || (body.waiting !== undefined && body.running === undefined)) return now;
  if (state === 'active' && body.toldTo !== undefined) return now;
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

/** What wants to start, oldest first, and what was given up since it waited: the schedule is not active any more. */
function wantingOf(
  { state, body }: Schedule,
  taken: readonly Start[],
  rule: Rule,
): { readonly wanting: readonly Start[]; readonly given: readonly Miss[] } {
  const wanting: Start[] = [];
  const given: Miss[] = [];
  for (const start of [...(body.waiting ?? []), ...taken]) {
    if (start.request !== undefined || state === 'active') wanting.push(start);
    else given.push(missed(start.slot, state === 'paused' ? 'paused' : 'ended'));
  }
  for (const request of body.requests ?? []) wanting.push(...requested(request, rule));
  return { wanting, given };
}

type Starting = OverlapDecision['starts'][number];

/** Those that the limit lets start; what somebody asked for counts for no limit. */
function limited(
  starts: readonly Starting[],
  remaining: number | undefined,
): { readonly starts: readonly Starting[]; readonly beyond: readonly Miss[]; readonly remaining: number | undefined } {
  if (remaining === undefined) return { starts, beyond: [], remaining };
  const within: Starting[] = [];
  const beyond: Miss[] = [];
  let room = remaining;
  for (const starting of starts) {
    const { slot, request } = starting.start;
    if (request !== undefined) within.push(starting);
    else if (room > 0) {
      within.push(starting);
      room -= 1;
    } else beyond.push(missed(slot, 'ended'));
  }
  return { starts: within, beyond, remaining: room };
}

function openOf({ start: { slot, origin, request } }: Starting): Open {
  return { slot, origin, ...(request !== undefined && { request }) };
}

/** When an occurrence is due: by the rule, or now if somebody asked for it. */
function dueAtOf({ slot, request }: Start, { now, rule, id }: Sight): Instant {
  return request === undefined ? Math.max(0, rule.dueAt(slot, id)) : now;
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

/** The occurrences that a request asks for (both ends of a backfill included). */
function requested(request: Request, rule: Rule): readonly Start[] {
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
