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
    const { id, task, queue, key } = about; // the one that is told of every job: written out it costs a third
    const durationMs = over.endedAt - over.startedAt;
    return [{ event: 'job:completed', data: { id, task, queue, key, attempt, durationMs, result } }];
  }
  if (after.state === before.state && isSettled(before)) return []; // told by those who settled it
  const error = 'error' in outcome ? outcome.error : undefined;
  if (after.state !== 'scheduled') return ended(after, about, error);
  if (outcome.outcome === 'interrupted') return [{ event: 'job:interrupted', data: { worker: over.worker, ...about } }];
  if ((after.body.failures ?? 0) === (before.body.failures ?? 0))
    return [{ event: 'job:snoozed', data: { attempt, until: after.dueAt, ...about } }];
  return [{ event: 'job:failed', data: { attempt, error, retryAt: after.dueAt, ...about } }];
}

/** What an arrival that starts nothing has to tell. */
export function onItsWay(why: Way, job: Job, about: JobEvent): readonly Happening[] {
  if (why === 'settled') return ended(job, about, undefined);
  if (why === 'marked' || why === 'deferred') return [];
  if (why === 'hop') return [{ event: 'job:hopped', data: { dueAt: job.dueAt, ...about } }];
  return [{ event: 'job:given-back', data: { why: why === 'paused' ? 'paused' : 'unknown', ...about } }];
}

/** What a job's settling has to tell. */
export function ended(job: Job, about: JobEvent, error: unknown): readonly Happening[] {
  const reason = job.body.reason ?? '';
  switch (job.state) {
    case 'dead':
      return [{ event: 'job:dead', data: { reason, error, ...about } }];
    case 'indeterminate':
      return [{ event: 'job:indeterminate', data: { reason, ...about } }];
    case 'cancelled':
      return [{ event: 'job:cancelled', data: { reason, ...about } }];
    case 'skipped':
      return [{ event: 'job:skipped', data: { reason, ...about } }];
    default:
      return [];
  }
}
