// Edit: put, pause, resume, trigger, backfill and delete as decisions about a schedule that stands.
//
// E1  Every edit raises generation and edition: older ticks discard themselves (I10), and an editor who compares editions
//     undoes nobody's work.
// E2  An edit never goes back: the next slot is later than now and than every slot that was taken. What was due and not
//     yet taken is missed, as superseded or, by a delete, ended; what passed during a pause is missed, as paused. If that
//     is more than can be told at once, it is told in several changes, of which only the last is the edit.
// E3  Putting the plan that stands changes nothing, so N replicas that declare it at once are one change.

import { CarillonError } from '../errors.js';
import type { Rule } from '../rule/rule.js';
import type { Instant } from '../time/instant.js';
import { inRows, missed, type Miss, noted } from './memory.js';
import type { ResolvedPlan } from './plan.js';
import { leave, nothing, type Taken } from './take.js';
import { type MissReason, type Request, type Schedule, withBody } from './schedule.js';

/** What an edit comes to: `schedule` is to be written unless nothing changes. */
export interface Edit<Outcome extends string = string> {
  readonly outcome: Outcome;
  readonly schedule: Schedule | undefined;
  readonly misses?: readonly Miss[];
  /** It is only the way there: once it is written, decide again (E2). */
  readonly partly?: true;
}

/** What was standing under the id: one that was deleted or set aside only lends its numbers. */
export interface PutContext {
  readonly id: string;
  readonly now: Instant;
  readonly queue: string;
  readonly record: Schedule['record'];
  /** The generation that the record had, if there was one, readable or not. */
  readonly generation: number;
  /** Throw `E_SCHEDULE_CHANGED` unless the schedule's edition is this one. */
  readonly edition?: number | undefined;
}

const KEEP_DELETED_MS = 7 * 86_400_000;

/** Puts a plan in place: creates the schedule, updates it, or leaves it alone. */
export function putPlan(
  standing: Schedule | undefined,
  { plan, rule, digest }: ResolvedPlan,
  ruleOf: (schedule: Schedule) => Rule,
  context: PutContext,
): Edit<'created' | 'updated' | 'unchanged' | 'outdated'> {
  const { id, now, queue, record, generation, edition } = context;
  const open = standing !== undefined && standing.state !== 'deleted' && standing.state !== 'dead';
  checkEdition(id, open ? standing.body.edition : 0, edition);
  if (!open) {
    const next = rule.next(Math.max(now, standing?.body.takenTo ?? 0)); // E2
    const fresh: Schedule = {
      record,
      queue,
      generation,
      state: next === undefined ? 'ended' : 'active',
      dueAt: now,
      expiresAt: undefined,
      body: {
        plan,
        digest,
        edition: (standing?.body.edition ?? 0) + 1,
        createdAt: now,
        updatedAt: now,
        ...(next !== undefined && { next }),
        takenTo: Math.max(now, standing?.body.takenTo ?? 0),
        watermark: Math.max(now, standing?.body.watermark ?? 0),
        ...(plan.limit !== undefined && { remaining: plan.limit }),
        counts: { started: 0, missed: {} },
        ...(standing?.body.messages !== undefined && { messages: standing.body.messages }),
      },
    };
    return { outcome: 'created', schedule: due(fresh, rule, id) };
  }
  if (standing.body.digest === digest) return { outcome: 'unchanged', schedule: undefined }; // E3
  if ((plan.version ?? 0) < (standing.body.plan.version ?? 0)) return { outcome: 'outdated', schedule: undefined };

  const left = untaken(standing, () => ruleOf(standing), 'superseded', now);
  if (left.more) return partly('updated', standing, left, now);
  const { body } = standing;
  const { misses } = left;
  const next = rule.next(Math.max(now, body.takenTo)); // E2
  const limited =
    plan.limit === undefined ? undefined : Math.max(0, plan.limit - body.counts.started + (body.asked ?? 0));
  const goesOn = next !== undefined && limited !== 0;
  const state = standing.state === 'paused' ? 'paused' : goesOn ? 'active' : 'ended';
  const updated = withBody(
    { ...standing, state, queue },
    {
      plan,
      digest,
      next,
      takenTo: Math.max(now, body.takenTo),
      toldTo: undefined,
      gap: undefined,
      remaining: limited,
    },
  );
  const edited = edit(withBody(updated, noted(body, [], misses, now)), now);
  return { outcome: 'updated', schedule: due(edited, rule, id), misses: inRows(misses) };
}

/** Pauses a schedule; what runs goes on. */
export function pause(
  standing: Schedule,
  note: string | undefined,
  now: Instant,
): Edit<'paused' | 'unchanged' | 'ended'> {
  if (standing.state === 'paused') return { outcome: 'unchanged', schedule: undefined };
  if (standing.state !== 'active') return { outcome: 'ended', schedule: undefined };
  return { outcome: 'paused', schedule: edit(withBody({ ...standing, state: 'paused' }, { note }), now) };
}

/** Resumes it: what passed meanwhile is missed (E2). */
export function resume(
  standing: Schedule,
  note: string | undefined,
  rule: Rule,
  id: string,
  now: Instant,
): Edit<'resumed' | 'unchanged' | 'ended'> {
  if (standing.state === 'active') return { outcome: 'unchanged', schedule: undefined };
  if (standing.state !== 'paused') return { outcome: 'ended', schedule: undefined };
  const passed = withBody({ ...standing, state: 'active' }, { note, gap: { until: now, reason: 'paused' } });
  return { outcome: 'resumed', schedule: due(edit(passed, now), rule, id) };
}

/** Asks for occurrences beside the rule, also of a schedule that is paused or has ended; a repeat asks for nothing more. */
export function ask(standing: Schedule, request: Request, now: Instant): Edit<'requested' | 'unchanged'> {
  const { requests = [], answered = [] } = standing.body;
  if (answered.includes(request.id) || requests.some(({ id }) => id === request.id)) {
    return { outcome: 'unchanged', schedule: undefined };
  }
  const asking = withBody({ ...standing, dueAt: now }, { requests: [...requests, request] });
  return { outcome: 'requested', schedule: asking };
}

/** Deletes it. Occurrences that were placed run; those that waited are missed. Its rule may be one that this host can't read. */
export function remove(standing: Schedule, rule: Rule | undefined, now: Instant): Edit<'deleted'> {
  const left = rule === undefined ? nothing(standing.body) : untaken(standing, () => rule, 'ended', now);
  if (left.more) return partly('deleted', standing, left, now);
  const { body } = standing;
  const misses = [...(body.waiting ?? []).map(({ slot }) => missed(slot, 'ended')), ...left.misses];
  const gone = withBody(
    { ...standing, state: 'deleted', expiresAt: Math.max(now, body.lastMessageAt ?? 0) + KEEP_DELETED_MS },
    {
      waiting: undefined,
      requests: undefined,
      running: undefined,
      gap: undefined,
      next: undefined,
      toldTo: undefined,
      hop: undefined,
      ...noted(body, [], misses, now),
    },
  );
  return { outcome: 'deleted', schedule: edit(gone, now), misses: inRows(misses) };
}

/** Throws `E_SCHEDULE_CHANGED` unless the editions agree. */
export function checkEdition(id: string, standing: number, expected: number | undefined): void {
  if (expected === undefined || expected === standing) return;
  throw new CarillonError('E_SCHEDULE_CHANGED', `The schedule ${id} is at edition ${standing}, not ${expected}.`, {
    next: 'Somebody has changed it since: get it again, and decide again.',
    id,
  });
}

/** What was due under the old rule and not yet taken: it had its time, so no later rule brings it again (E2). */
function untaken({ state, body }: Schedule, ruleOf: () => Rule, reason: MissReason, now: Instant): Taken {
  const { next, gap } = body;
  const hasCome = next !== undefined && next <= now;
  if ((state !== 'active' && state !== 'paused') || !(hasCome || body.toldTo !== undefined)) return nothing(body);
  const inState = state === 'paused' ? 'paused' : reason;
  return leave(body, ruleOf(), now, (slot) => (gap !== undefined && slot <= gap.until ? gap.reason : inState));
}

/** A part of what an edit has to tell, and no edit yet. */
function partly<Outcome extends string>(
  outcome: Outcome,
  standing: Schedule,
  { misses, course }: Taken,
  now: Instant,
): Edit<Outcome> {
  const schedule = withBody(standing, { ...course, ...noted(standing.body, [], misses, now) });
  return { outcome, schedule, misses: inRows(misses), partly: true };
}

function edit(schedule: Schedule, now: Instant): Schedule {
  return withBody(schedule, { edition: schedule.body.edition + 1, updatedAt: now, hop: undefined, sweeps: undefined }); // E1
}

/** The schedule, due when its next slot is. */
function due(schedule: Schedule, rule: Rule, id: string): Schedule {
  const { next, waiting, requests } = schedule.body;
  if (next === undefined || waiting !== undefined || requests !== undefined) return schedule;
  return { ...schedule, dueAt: Math.max(0, rule.dueAt(next, id)) };
}
