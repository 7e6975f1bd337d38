// Settle: from an attempt's outcome to the job's next state.
//
// S1  Only recorded failures count against the attempts; attempts that never ended count as interruptions.
// S2  Done stays done, set aside stays set aside; what would run again yields to a wish.
// S3  A never-again job whose attempt began is never scheduled again, unless its handler itself says `snooze`: a throw is
//     dead, no word is indeterminate.
// S4  What others have settled meanwhile stays settled as it is, unless the attempt is done.
// S5  A settled record outlives the last message that was sent for it, as long as a broker may keep that.

import type { Lease } from '../ports/ledger.js';
import { backoffMs } from '../retry/backoff.js';
import type { Ended, Outcome } from '../task/kind.js';
import type { Keeping, ResolvedPolicy } from '../task/options.js';
import { Ruling } from '../task/ruling.js';
import type { Random } from '../time/clock.js';
import { dueInstant } from '../time/due.js';
import type { Instant } from '../time/instant.js';
import {
  isSettled,
  type Job,
  type JobBody,
  KEPT,
  type JobState,
  type KeptError,
  nominalAt,
  type PastAttempt,
  type Wish,
  withBody,
} from './job.js';

/** How long a broker may keep a message after its delivery time, in milliseconds. */
const MESSAGE_RETENTION_MS = 3 * 86_400_000;

/** What a failed, snoozed or interrupted attempt leads to. */
type Consequence = { readonly dueAt: Instant } | { readonly state: 'dead' | 'indeterminate'; readonly reason: string };

/** The job after an attempt: settled, or scheduled for its next due time. */
export function settle(job: Job, outcome: Outcome, ended: Ended, policy: ResolvedPolicy, random: Random): Job {
  const after = recorded(job, outcome, ended);
  if (outcome.outcome === 'done') {
    return close(after, 'done', ended.endedAt, policy, {
      result: outcome.result === null ? undefined : outcome.result,
    }); // S2
  }

  if (isSettled(job)) return after; // S4
  const next = consequence(after, outcome, ended.endedAt, policy, random);
  if (!('dueAt' in next)) return close(after, next.state, ended.endedAt, policy, { reason: next.reason });
  if (after.body.wish !== undefined) return grant(after, after.body.wish, ended.endedAt, policy); // S2
  return later(after, next.dueAt);
}

function consequence(
  job: Job,
  outcome: Exclude<Outcome, { outcome: 'done' }>,
  now: Instant,
  policy: ResolvedPolicy,
  random: Random,
): Consequence {
  if (outcome.outcome === 'snoozed') return { dueAt: now + outcome.forMs };
  if (outcome.outcome === 'interrupted') {
    if (policy.neverAgain) return { state: 'indeterminate', reason: 'interrupted' }; // S3
    return (job.body.interruptions ?? 0) >= policy.interruptions
      ? { state: 'dead', reason: 'interrupted too often' }
      : { dueAt: now };
  }
  if (outcome.outcome === 'timed-out' && !outcome.ended && policy.neverAgain)
    return { state: 'indeterminate', reason: 'timed out' }; // S3

  const verdict = outcome.outcome === 'failed' ? outcome.verdict : 'retry';
  if (verdict instanceof Ruling && verdict.verdict === 'snooze') return { dueAt: now + verdict.afterMs };
  if (verdict instanceof Ruling && verdict.verdict === 'dead')
    return { state: 'dead', reason: verdict.reason ?? 'gave up' };
  if (verdict === 'dead') return { state: 'dead', reason: 'not retried' };
  if (policy.neverAgain) return { state: 'dead', reason: 'failed' };

  const failures = job.body.failures ?? 0;
  if (failures >= policy.attempts) return { state: 'dead', reason: 'attempts exhausted' };
  const delayMs = verdict instanceof Ruling ? verdict.afterMs : backoffOf(policy, failures, random);
  if (typeof delayMs === 'string') return { state: 'dead', reason: delayMs };
  const end = nominalAt(job) + policy.retryForMs;
  if (now >= end) return { state: 'dead', reason: 'too old to retry' };
  return { dueAt: Math.min(now + delayMs, end) }; // the last attempt falls on the age itself
}

/** The backoff's delay; the reason not to retry if the user's own function throws or answers no duration. */
function backoffOf(policy: ResolvedPolicy, failures: number, random: Random): number | string {
  try {
    return backoffMs(policy.backoff, failures, random);
  } catch (error) {
    return `its backoff failed: ${keptError(error).message}`;
  }
}

function recorded(job: Job, outcome: Outcome, ended: Ended): Job {
  const { body } = job;
  const starts = (body.starts ?? 0) + 1;
  const error = outcome.outcome === 'failed' || outcome.outcome === 'timed-out' ? keptError(outcome.error) : undefined;
  const snoozed =
    outcome.outcome === 'failed' && outcome.verdict instanceof Ruling && outcome.verdict.verdict === 'snooze';
  const { worker, startedAt, endedAt } = ended;
  const how = snoozed ? 'snoozed' : outcome.outcome;
  const past: PastAttempt = { number: starts, worker, startedAt, endedAt, outcome: how };
  const attempts = keep(body.attempts, error === undefined ? past : { error, ...past });
  const after: { -readonly [K in keyof JobBody]: JobBody[K] } = Object.assign({}, body, { starts, attempts });
  if (outcome.outcome === 'interrupted') after.interruptions = (body.interruptions ?? 0) + 1; // S1
  if ((outcome.outcome === 'failed' && !snoozed) || outcome.outcome === 'timed-out') {
    after.failures = (body.failures ?? 0) + 1; // S1
  }
  if (body.sweeps !== undefined) after.sweeps = undefined;
  if (body.unknownSince !== undefined) after.unknownSince = undefined;
  return { ...job, body: after };
}

/** Takes leases that ended without a word into the job's history, as interruptions. */
export function countInterruptions(job: Job, leases: readonly Lease[]): Job {
  let after = job;
  for (const lease of leases) {
    const ended: Ended = { worker: lease.holder, startedAt: lease.since, endedAt: Math.max(lease.since, lease.until) };
    after = recorded(after, { outcome: 'interrupted' }, ended);
  }
  return after;
}

/** Settles a job. */
export function close(
  job: Job,
  state: Exclude<JobState, 'scheduled'>,
  now: Instant,
  keeping: Keeping,
  more: { reason?: string; result?: unknown } = {},
): Job {
  const forMs = state === 'dead' || state === 'indeterminate' ? keeping.keepDeadMs : keeping.keepDoneMs;
  const { reason, result } = more;
  const expiresAt = Math.max(now + forMs, (job.body.lastMessageAt ?? 0) + MESSAGE_RETENTION_MS); // S5
  const settled = { wish: undefined, reason, settledAt: now };
  const body: JobBody = Object.assign({}, job.body, result === undefined ? settled : { result, ...settled });
  return { ...job, state, expiresAt, body };
}

/** How long after its last message a done job is kept at least, in milliseconds; no older message may start it. */
export function keptForMs({ keepDoneMs }: Keeping): number {
  return Math.max(keepDoneMs, MESSAGE_RETENTION_MS);
}

/** Gives a wish its way, on a job that nobody is working on any more. */
export function grant(job: Job, wish: Wish, now: Instant, keeping: Keeping): Job {
  if (wish.want === 'cancel') return close(job, 'cancelled', now, keeping, { reason: wish.reason });
  const dueAt = Math.max(0, dueInstant(wish.due));
  const wall = 'wall' in wish.due ? wish.due : undefined;
  return withBody({ ...job, dueAt }, { wish: undefined, nominalAt: undefined, unknownSince: undefined, wall });
}

/** Makes a scheduled job due at another time, and remembers when it was meant to run. */
export function later(job: Job, dueAt: Instant): Job {
  const nominal = nominalAt(job);
  return withBody({ ...job, dueAt }, { nominalAt: nominal === dueAt ? undefined : nominal, wall: undefined });
}

function keep(attempts: readonly PastAttempt[] = [], past: PastAttempt): readonly PastAttempt[] {
  return attempts.length < KEPT.attempts ? [...attempts, past] : [...attempts.slice(1 - KEPT.attempts), past];
}

/** An error as it is kept with a job: name, message, code and the head of the stack, all capped. */
export function keptError(error: unknown): KeptError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error).slice(0, KEPT.message) };
  const { code } = error as { code?: unknown };
  return {
    name: error.name,
    message: error.message.slice(0, KEPT.message),
    ...((typeof code === 'string' || typeof code === 'number') && { code: String(code) }),
    ...(error.stack !== undefined && { stack: error.stack.slice(0, KEPT.stack) }),
  };
}
