// Happenings: what there is to tell about each decision on a job, as event data.

import type { Happening, JobEvent } from '../task/events.js';
import type { Ended, Outcome } from '../task/kind.js';
import type { Arrival } from './arrive.js';
import { isSettled, type Job } from './job.js';

/** Why an arrived job does not run now. */
type Way = Extract<Arrival, { to: 'write' }>['why'];

/** What an attempt's end has to tell. */
export function told(before: Job, after: Job, outcome: Outcome, over: Ended, about: JobEvent): readonly Happening[] {
  const attempt = after.body.starts ?? 1;
  if (after.state === 'done') {
    const result = outcome.outcome === 'done' ? outcome.result : undefined;
    return [{ event: 'job:completed', data: { ...about, attempt, durationMs: over.endedAt - over.startedAt, result } }];
  }
  if (after.state === before.state && isSettled(before)) return []; // told by those who settled it
  const error = 'error' in outcome ? outcome.error : undefined;
  if (after.state !== 'scheduled') return ended(after, about, error);
  if (outcome.outcome === 'interrupted') return [{ event: 'job:interrupted', data: { ...about, worker: over.worker } }];
  if ((after.body.failures ?? 0) === (before.body.failures ?? 0))
    return [{ event: 'job:snoozed', data: { ...about, attempt, until: after.dueAt } }];
  return [{ event: 'job:failed', data: { ...about, attempt, error, retryAt: after.dueAt } }];
}

/** What an arrival that starts nothing has to tell. */
export function onItsWay(why: Way, job: Job, about: JobEvent): readonly Happening[] {
  if (why === 'settled') return ended(job, about, undefined);
  if (why === 'marked') return [];
  if (why === 'hop') return [{ event: 'job:hopped', data: { ...about, dueAt: job.dueAt } }];
  return [{ event: 'job:given-back', data: { ...about, why: why === 'paused' ? 'paused' : 'unknown' } }];
}

/** What a job's settling has to tell. */
export function ended(job: Job, about: JobEvent, error: unknown): readonly Happening[] {
  const reason = job.body.reason ?? '';
  switch (job.state) {
    case 'dead':
      return [{ event: 'job:dead', data: { ...about, reason, error } }];
    case 'indeterminate':
      return [{ event: 'job:indeterminate', data: { ...about, reason } }];
    case 'cancelled':
      return [{ event: 'job:cancelled', data: { ...about, reason } }];
    case 'skipped':
      return [{ event: 'job:skipped', data: { ...about, reason } }];
    default:
      return [];
  }
}
