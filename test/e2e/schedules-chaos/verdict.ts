// Verdict: what is wrong with schedules after the chaos, given what their records say and what handlers did.
//
// R1  Every slot of a rule was placed as one job, or a record says why not: never both, never neither, and the counts agree.
// R2  That job ended: done, once. Only one that must not be repeated may be indeterminate, and only one that a later
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
  readonly records: Records;
  readonly jobs: ReadonlyMap<string, JobView>;
  readonly effects: readonly Effect[];
  readonly killed: ReadonlySet<string>;
}

type Missed = Extract<ScheduleView['recent'][number], { readonly outcome: 'missed' }>;

/** What a schedule's record has said while it was looked at again and again, since it remembers the last 20 only. */
export class Records {
  /** The jobs of occurrences, by their slots. */
  readonly started = new Map<number, string>();
  readonly #missed = new Map<string, Missed>();

  /** Keeps what a schedule says now. */
  keep({ recent }: ScheduleView): void {
    for (const entry of recent) {
      const slot = entry.slot.getTime();
      if (entry.outcome === 'started') this.started.set(slot, entry.id);
      else this.#missed.set(`${entry.reason} ${slot} ${entry.to.getTime()}`, entry);
    }
  }

  /** Why a slot did not run. */
  reasons(slot: number): readonly string[] {
    const about = [...this.#missed.values()].filter(({ slot: from, to }) => +from <= slot && slot <= +to);
    return about.map(({ reason }) => reason);
  }
}

/** What is wrong with one schedule (R1 to R4). */
export function wrongs(evidence: Evidence): readonly string[] {
  const { plan, schedule, records, effects } = evidence;
  const { id, slots } = plan;
  const wrong: string[] = [];
  if (schedule.state !== 'ended') wrong.push(`${id} is ${schedule.state}: ${schedule.reason ?? ''}`);

  const bySlot = new Map<number, Effect[]>(slots.map((slot) => [slot, []]));
  for (const effect of effects) {
    const known = bySlot.get(effect.slot);
    if (known === undefined) wrong.push(`${nameOf(id, effect.slot)} ran and is no slot`); // R4
    else known.push(effect);
  }
  for (const [slot, done] of bySlot) {
    const job = records.started.get(slot);
    if (job !== undefined) wrong.push(...wrongsOfJob(evidence, slot, job, done));
    else if (records.reasons(slot).length === 0) wrong.push(`${nameOf(id, slot)} did not run, and nothing says why`); // R1
    else if (done.length > 0) wrong.push(`${nameOf(id, slot)} ran, though it is said to be missed`); // R1
  }

  const { counts } = schedule;
  const missed = Object.values(counts.missed).reduce((sum, count) => sum + count, 0);
  if (counts.started !== records.started.size || counts.started + missed !== slots.length)
    wrong.push(`${id} counts ${counts.started} started and ${missed} missed of ${slots.length} slots`); // R1
  return wrong;
}

function wrongsOfJob({ plan, jobs, killed }: Evidence, slot: number, id: string, effects: readonly Effect[]): string[] {
  const { policy, spec } = plan;
  const job = jobs.get(id);
  const of = (what: Effect['what']): readonly Effect[] => effects.filter((effect) => effect.what === what);
  const [starts, had] = [of('start'), of('effect')];
  const given = (life: string): boolean => killed.has(life) || of('lost').some((lost) => lost.life === life);
  const mayBeStopped = spec.overlap === 'cancel-other' || spec.overlap === 'terminate-other';
  const once = policy === 'never-again';
  const done = job?.state === 'done';
  const completions = job?.attempts.filter(({ outcome }) => outcome === 'done').length;
  const rules: Record<string, boolean> = {
    ended: done || (once && job?.state === 'indeterminate') || (mayBeStopped && job?.state === 'cancelled'), // R2
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
  return broken.map((rule) => `not true that ${nameOf(plan.id, slot)} ${rule}: ${job?.state ?? 'no record'}; ${seen}`);
}

const CLOCKS_APART_MS = 2; // Date.now() drops the fraction, and the engine's clock is the ledger's

function nameOf(schedule: string, slot: number): string {
  return `${schedule}@${new Date(slot).toISOString()}`;
}
