// Amend: cancel, reschedule and redrive as decisions about a job that stands.
//
// E1  While a job is claimed (also by a lease that has ended without a word) others only leave a wish.
// E2  Every edit of a job that goes on raises the generation, so that messages sent before it are stale.
// E3  The answer is honest: `running` means that an attempt has begun and nobody knows yet how it ends.

import type { LedgerRecord, RecordContent, Write } from '../ports/ledger.js';
import { type Keeping, keepingOf } from '../task/options.js';
import type { Due } from '../time/due.js';
import { dueInstant } from '../time/due.js';
import type { Instant } from '../time/instant.js';
import { withBell } from './bell.js';
import { type Carriage, carry } from './carriage.js';
import {
  attemptsBegun,
  isSettled,
  type Job,
  nextOf,
  readJob,
  SET_ASIDE,
  type Wish,
  withBody,
  writeJob,
} from './job.js';
import { withPointer } from './pointer.js';
import { close, grant } from './settle.js';

/** What an amendment finds and does. */
export interface Amendment {
  readonly answer: 'done' | 'running' | 'settled';
  /** How many attempts had begun: above 0, an effect may exist. */
  readonly attempts: number;
  readonly writes: readonly Write[];
  readonly job: Job;
}

/** Cancels a job, or leaves the wish to. */
export function cancel(
  namespace: string,
  record: LedgerRecord,
  wish: Wish & { want: 'cancel' },
  now: Instant,
  keeping: Keeping,
  fused = false,
): Amendment {
  return amend(namespace, record, wish, (job) => {
    const gone = close(job, 'cancelled', now, keepingOf(job.body.overrides, keeping), { reason: wish.reason });
    const { content, writes } = withBell(namespace, gone, writeJob(gone, undefined), now, fused);
    return [gone, content, writes];
  });
}

/** Ends an open job at once, whoever works on it: he hears that he should stop, and counts only if he is done already. */
export function end(record: LedgerRecord, wish: Wish & { want: 'cancel' }, now: Instant, keeping: Keeping): Write {
  const job = readJob(record);
  const gone = close(job, 'cancelled', now, keepingOf(job.body.overrides, keeping), { reason: wish.reason });
  return put(record, writeJob(record.lease === undefined ? gone : withBody(gone, { wish }), undefined));
}

/** Gives a job another due time, or leaves the wish to. */
export function reschedule(
  namespace: string,
  record: LedgerRecord,
  due: Due,
  now: Instant,
  keeping: Keeping,
  carriage: Carriage,
): Amendment {
  const wish: Wish = { want: 'reschedule', due };
  return amend(namespace, record, wish, (job) => {
    const moved = nextOf(grant(job, wish, now, keeping), now);
    return [moved, carry(moved, now, carriage)];
  });
}

/** Schedules a job again that was set aside (dead or indeterminate), with its counts at nought; others, and
 *  those of which only a dead letter is left, are `settled`. */
export function redrive(record: LedgerRecord, due: Due | undefined, now: Instant, carriage: Carriage): Amendment {
  const job = readJob(record);
  const attempts = attemptsBegun(job, record);
  if (!SET_ASIDE.includes(job.state) || job.body.lost === true)
    return { answer: isSettled(job) ? 'settled' : 'running', attempts, job, writes: [] };
  const again = nextOf(
    { ...job, state: 'scheduled', dueAt: due === undefined ? now : Math.max(0, dueInstant(due)), expiresAt: undefined },
    now,
  );
  const fresh = withBody(again, {
    failures: undefined,
    interruptions: undefined,
    nominalAt: undefined,
    unknownSince: undefined,
    reason: undefined,
    settledAt: undefined,
    wall: due !== undefined && 'wall' in due ? due : undefined,
    unkeyed: job.body.key === undefined ? undefined : true,
  });
  return { answer: 'done', attempts, job: fresh, writes: [put(record, carry(fresh, now, carriage))] };
}

function amend(
  namespace: string,
  record: LedgerRecord,
  wish: Wish,
  change: (job: Job) => [Job, RecordContent, (readonly Write[])?],
): Amendment {
  const job = readJob(record);
  const attempts = attemptsBegun(job, record);
  if (isSettled(job)) return { answer: 'settled', attempts, job, writes: [] };
  if (record.lease !== undefined) {
    const wishing = withBody(job, { wish: withAbort(wish, job.body.wish) }); // E1
    return {
      answer: 'running',
      attempts,
      job: wishing,
      writes: [put(record, writeJob(wishing, record.wakeAt, record.outbox))],
    };
  }
  const [after, content, more = []] = change(job);
  const writes = [put(record, content), ...withPointer(namespace, after), ...more];
  return { answer: 'done', attempts, job: after, writes };
}

/** A cancel keeps the abort that an earlier one asked for. */
function withAbort(wish: Wish, earlier: Wish | undefined): Wish {
  return wish.want === 'cancel' && earlier?.want === 'cancel' ? { ...wish, abort: wish.abort || earlier.abort } : wish;
}

function put(record: LedgerRecord, content: RecordContent): Write {
  return { do: 'put', key: record.key, expect: { version: record.version }, content };
}
