// Verdict: what is wrong with schedules after the chaos, given what their records say and what handlers did.
//
// R1  Every slot of a rule has a job, or the schedule's record says why not: never neither, and the counts agree, so never both.
// R2  A slot has one job, and that ended: done, once. Only one that must not be repeated may be indeterminate, and only one that a later
//     occurrence may stop cancelled. Nothing is dead.
// R3  No slot is doubled: an attempt begins again only if whoever began it was killed or had lost it, with a higher fencing
//     token and under the same key; an effect is repeated only if whoever had it was killed before that was recorded.
// R4  Nothing ran before its slot, and nothing that is no slot.

import type { JobView, ScheduleView } from '@carillon/core';
import type { Effect } from './effects.js';
import type { Plan } from './plans.js';

/** Everything that is known of one schedule. */
export interface Evidence {
  readonly plan: Plan;
  readonly schedule: ScheduleView;
  readonly misses: Misses;
  /** Those of this schedule's occurrences. */
  readonly jobs: readonly JobView[];
  readonly effects: readonly Effect[];
  readonly killed: ReadonlySet<string>;
}

type Missed = Extract<ScheduleView['recent'][number], { readonly outcome: 'missed' }>;

/** The misses that a schedule's record has told of while it was looked at again and again: it remembers the last 20 only. */
export class Misses {
  readonly #rows = new Map<string, Missed>();

  /** Keeps what a schedule says now. */
  keep({ recent }: ScheduleView): void {
    for (const entry of recent) {
      if (entry.outcome === 'missed') this.#rows.set(`${entry.reason} ${+entry.slot} ${+entry.to}`, entry);
    }
  }

  /** Whether it said why a slot did not run. */
  tell(slot: number): boolean {
    return [...this.#rows.values()].some(({ slot: from, to }) => +from <= slot && slot <= +to);
  }
}

/** What is wrong with one schedule (R1 to R4). */
export function wrongs(evidence: Evidence): readonly string[] {
  const { plan, schedule, misses, jobs, effects } = evidence;
  const { id, slots } = plan;
  const wrong: string[] = [];
  if (schedule.state !== 'ended') wrong.push(`${id} is ${schedule.state}: ${schedule.reason ?? ''}`); // R2

  const known = new Set(slots);
  for (const { slot } of effects) if (!known.has(slot)) wrong.push(`${nameOf(id, slot)} ran and is no slot`); // R4
  for (const slot of slots) {
    const placed = jobs.filter(({ occurrence }) => occurrence?.slot.getTime() === slot);
    const done = effects.filter((effect) => effect.slot === slot);
    const name = nameOf(id, slot);
    if (placed.length > 1) wrong.push(`${name} has ${placed.length} jobs`); // R2
    if (placed[0] !== undefined) wrong.push(...wrongsOfJob(evidence, slot, placed[0], done));
    else if (!misses.tell(slot)) wrong.push(`${name} did not run, and nothing says why`); // R1
    else if (done.length > 0) wrong.push(`${name} ran, though it is said to be missed`); // R1
  }

  const { counts } = schedule;
  const missed = Object.values(counts.missed).reduce((sum, count) => sum + count, 0);
  if (counts.started !== jobs.length || counts.started + missed !== slots.length)
    wrong.push(`${id} counts ${counts.started} started and ${missed} missed of ${slots.length} slots`); // R1
  return wrong;
}

function wrongsOfJob({ plan, killed }: Evidence, slot: number, job: JobView, effects: readonly Effect[]): string[] {
  const { policy, spec } = plan;
  const of = (what: Effect['what']): readonly Effect[] => effects.filter((effect) => effect.what === what);
  const [starts, had] = [of('start'), of('effect')];
  const given = (life: string): boolean => killed.has(life) || of('lost').some((lost) => lost.life === life);
  const mayBeStopped = spec.overlap === 'cancel-other' || spec.overlap === 'terminate-other';
  const once = policy === 'never-again';
  const done = job.state === 'done';
  const completions = job.attempts.filter(({ outcome }) => outcome === 'done').length;
  const rules: Record<string, boolean> = {
    ended: done || (once && job.state === 'indeterminate') || (mayBeStopped && job.state === 'cancelled'), // R2
    'is done once': completions === (done ? 1 : 0), // R2
    'has its effect': !done || had.length > 0, // R2
    'is one job': new Set(effects.map(({ idempotencyKey }) => idempotencyKey)).size <= 1, // R3
    'begins again only if it was given up': starts.slice(0, -1).every(({ life }) => given(life)), // R3
    'has one effect, or one more than was recorded': had.slice(0, -1).every(({ life }) => killed.has(life)), // R3
    'has growing tokens': starts.every((start, index) => start.fencingToken > (starts[index - 1]?.fencingToken ?? 0)), // R3
    'is not repeated': !once || starts.length <= 1, // R3
    'is not early': starts.every(({ at }) => at >= slot - CLOCKS_APART_MS), // R4
  };
  const broken = Object.keys(rules).filter((rule) => rules[rule] === false);
  const seen = effects.map(({ what, life, at }) => `${what} by ${life} at ${new Date(at).toISOString()}`).join(', ');
  return broken.map((rule) => `not true that ${nameOf(plan.id, slot)} ${rule}: ${job.state}; ${seen}`);
}

const CLOCKS_APART_MS = 2; // Date.now() drops the fraction, and the engine's clock is the ledger's

function nameOf(schedule: string, slot: number): string {
  return `${schedule}@${new Date(slot).toISOString()}`;
}
