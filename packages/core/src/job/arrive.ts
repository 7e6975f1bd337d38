// Arrive: a job has been delivered and acquired; what to do with it.
//
// A1  Nothing starts before its due time (I5): what comes early hops on.
// A2  A wish that came before the start is granted instead of an attempt.
// A3  A job whose attempts keep ending without a word does not loop for ever; a never-again job does not even begin again.
// A4  What this engine does not know (a task, a newer version) is given back for a while, then set aside with its reason.
// A5  A never-again job is claimed durably before it begins; where only this engine's task says that it is one, its record
//     is marked and comes back at once.
// A6  What is put off for a moment stays away for that moment, also where the broker's clock is ahead of the ledger's: as
//     early as this message came, the next one would come too, and so on, without a pause.
// A7  What was ended after it had been acquired stays as it ended, whatever its leases say.
// A8  An occurrence that was placed ahead and comes so late that nobody can have been there is put off for a moment, until
//     its schedule, which is due as well, has decided by its catch-up policy what becomes of it.

import { CarillonError } from '../errors.js';
import type { LedgerRecord } from '../ports/ledger.js';
import { type Keeping, keepingOf, type ResolvedPolicy } from '../task/options.js';
import { dueInstant } from '../time/due.js';
import type { Instant } from '../time/instant.js';
import { GRACE_MS } from './carriage.js';
import { isSettled, type Job, JOB_READER, nominalAt, withBody } from './job.js';
import { close, countInterruptions, grant } from './settle.js';

/** What to do with an acquired job. */
export type Arrival =
  | { readonly to: 'run'; readonly job: Job; readonly late: boolean }
  /** It is settled now, or goes on its way: write `job`; while it is open, wake it at `wakeAt`. */
  | {
      readonly to: 'write';
      readonly job: Job;
      readonly wakeAt: Instant;
      readonly why: 'hop' | 'given-back' | 'paused' | 'marked' | 'deferred' | 'settled';
    };

/** What the engine knows about the job's task; `undefined` if it does not know it. */
export interface ArrivalContext {
  readonly now: Instant;
  readonly policy: ResolvedPolicy | undefined;
  readonly paused: boolean;
  /** Its schedule has to decide first (A8). */
  readonly undecided: boolean;
}

/** What the record says of how its job came. */
export type Delivered = Pick<LedgerRecord, 'interrupted' | 'outbox' | 'wakeAt'>;

/** How long an unknown task or a newer version is given back, in milliseconds, and how often. */
export const UNKNOWN = { forMs: 15 * 60_000, everyMs: 15_000 } as const;
/** How soon a paused job is looked at again, in milliseconds. */
export const PAUSED_MS = 5_000;
/** How soon a job is looked at again whose schedule has to decide first, in milliseconds. */
const DEFERRED_MS = 1_000;
/** Brokers' clocks that are further ahead are not made up for, in milliseconds. */
const MOST_AHEAD_MS = 60_000;
/** How long jobs of tasks that this engine does not know are remembered. */
export const STRANGER: Keeping = { keepDoneMs: 3 * 86_400_000, keepDeadMs: 30 * 86_400_000 };

/** Decides about a job that has been delivered and acquired. `record` is as granted: interrupted leases in it are counted. */
export function arrive(delivered: Job, record: Delivered, context: ArrivalContext): Arrival {
  const { now, policy, paused } = context;
  const settled = (job: Job): Arrival => ({ to: 'write', job, wakeAt: now, why: 'settled' });

  let job = countInterruptions(delivered, record.interrupted); // the next write resolves these leases
  if (isSettled(job)) return settled(withBody(job, { wish: undefined })); // A7
  if ((job.body.reader ?? 1) > JOB_READER) return stranger(job, 'written by a newer version', record, now); // A4
  if (policy === undefined) return stranger(job, 'unknown task', record, now); // A4
  if (job.body.unknownSince !== undefined) job = withBody(job, { unknownSince: undefined });

  const interruptions = job.body.interruptions ?? 0;
  if (interruptions > 0 && policy.neverAgain) {
    return settled(close(job, 'indeterminate', now, policy, { reason: 'interrupted' })); // A3
  }
  if (interruptions >= policy.interruptions) {
    return settled(close(job, 'dead', now, policy, { reason: 'interrupted too often' })); // A3
  }
  if (job.body.wish !== undefined) {
    job = grant(job, job.body.wish, now, policy); // A2
    if (job.state !== 'scheduled') return settled(job);
  }

  if (job.dueAt > now || job.body.wall !== undefined) {
    const on = resolvable(job);
    if (on === undefined) {
      const { unknownSince } = delivered.body;
      return stranger(withBody(job, { unknownSince }), 'unknown time zone', record, now); // A4
    }
    if (on.dueAt > now) return { to: 'write', job: on, wakeAt: on.dueAt, why: 'hop' }; // A1
  }

  const first = (job.body.starts ?? 0) === 0;
  if (context.undecided && first && interruptions === 0) {
    return { to: 'write', job, wakeAt: now + DEFERRED_MS, why: 'deferred' }; // A8
  }

  if (paused) return { to: 'write', job, wakeAt: now + PAUSED_MS + aheadMs(record, now), why: 'paused' }; // A6

  const late = first && policy.lateness !== undefined && now - nominalAt(job) >= policy.lateness.ofMs;
  if (late && policy.lateness?.then === 'skip')
    return settled(close(job, 'skipped', now, policy, { reason: 'too late' }));
  if (late && policy.lateness?.then === 'dead') return settled(close(job, 'dead', now, policy, { reason: 'too late' }));
  if (policy.neverAgain && job.body.neverAgain !== true) {
    return { to: 'write', job: withBody(job, { neverAgain: true }), wakeAt: now, why: 'marked' }; // A5
  }
  return { to: 'run', job, late };
}

/** The job on its next hop; undefined if this host's time zone data lack its zone. */
function resolvable(job: Job): Job | undefined {
  try {
    return hop(job);
  } catch (error) {
    if (CarillonError.is(error) && error.code === 'E_ZONE') return undefined;
    throw error;
  }
}

/** The job on its next hop: a wall time is resolved against today's time zone data. */
export function hop(job: Job): Job {
  const dueAt = job.body.wall === undefined ? job.dueAt : Math.max(0, dueInstant(job.body.wall));
  return withBody({ ...job, dueAt }, { hop: (job.body.hop ?? 0) + 1 });
}

function stranger(job: Job, reason: string, record: Delivered, now: Instant): Arrival {
  const since = job.body.unknownSince ?? now;
  if (now - since >= UNKNOWN.forMs) {
    const keeping = keepingOf(job.body.overrides, STRANGER);
    return { to: 'write', job: close(job, 'dead', now, keeping, { reason }), wakeAt: now, why: 'settled' };
  }
  const wakeAt = now + UNKNOWN.everyMs + aheadMs(record, now); // A6
  return { to: 'write', job: withBody(job, { unknownSince: since }), wakeAt, why: 'given-back' };
}

/** How much earlier than it was asked for the message came, by the ledger's clock. */
function aheadMs({ outbox, wakeAt }: Delivered, now: Instant): number {
  const askedFor = outbox[0]?.message.deliverAt ?? (wakeAt ?? now) - GRACE_MS;
  return Math.min(Math.max(0, askedFor - now), MOST_AHEAD_MS);
}
