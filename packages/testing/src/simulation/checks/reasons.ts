// Reasons: whether what a run has shown justifies that a job ended without being done.
//
// R1  A count in a record is believed only as far as so many attempts were really seen.
// R2  What its handler was seen to say when it gave up justifies a dead job, whatever the words. Another reason that is not
//     in the table justifies nothing.

import { durationMs, type Duration, formatDuration, type LedgerRecord } from '@carillon/core/spi';
import type { Plan } from '../plan/plan.js';
import type { History, JobHistory } from './history.js';
import { bodyOf, type JobBody, MALFORMED } from './job-record.js';

/** What a reason is judged by. */
interface Case {
  readonly body: JobBody;
  readonly record: LedgerRecord;
  readonly job: JobHistory;
  readonly history: History;
  readonly plan: Plan;
}

/** What is missing for the reason to be justified; undefined if nothing is. */
type Justify = (it: Case) => string | undefined;

const UNKNOWN_MS = 15 * 60_000;
const SKEW_MS = 10_000; // how far two clocks that the engine goes by may be apart: steps of the ledger's, drift of a host's

/** Attempts that started and did not complete the job: they threw, ran out of time or were interrupted. */
const failed = ({ started, completions }: JobHistory): number => started.length - completions.length;

const aFailedAttempt: Justify = ({ job }) => (failed(job) > 0 ? undefined : 'no attempt of it has failed');

const tooLate: Justify = ({ body, record, job }) => {
  const asked = job.call?.options['maxLateness'] as { readonly of: Duration } | undefined;
  const ofMs = asked === undefined ? 0 : durationMs(asked.of, 'maxLateness.of');
  const latenessMs = (body.settledAt ?? 0) - (body.nominalAt ?? record.dueAt);
  return latenessMs >= ofMs
    ? undefined
    : `it was ${formatDuration(latenessMs)} late, and ${formatDuration(ofMs)} was allowed`;
};

const unknown: Justify = ({ body, plan }) => {
  if (plan.faults.versions === undefined) return 'no engine ran an old version';
  const forMs = (body.settledAt ?? 0) - (body.unknownSince ?? Infinity);
  return forMs >= UNKNOWN_MS - SKEW_MS ? undefined : 'it was not given back for 15 minutes';
};

const DEAD: Readonly<Record<string, Justify>> = {
  'attempts exhausted': ({ body, job }) => {
    const failures = body.failures ?? 0;
    if (failed(job) < failures) return `${failures} failures were counted, and ${failed(job)} attempts have failed`;
    const asked = body.overrides?.attempts;
    return typeof asked !== 'number' || failures >= asked ? undefined : `${asked} attempts were asked for`;
  },
  'interrupted too often': ({ body, job }) => {
    const interruptions = body.interruptions ?? 0;
    const unheard = job.grants - job.completions.length;
    return unheard >= interruptions
      ? undefined
      : `${interruptions} interruptions were counted, and it was granted ${job.grants} times`;
  },
  'too old to retry': aFailedAttempt,
  'gave up': aFailedAttempt,
  'not retried': aFailedAttempt,
  failed: (it) => (it.body.neverAgain === true ? aFailedAttempt(it) : 'it is not a never-again job'),
  'too late': tooLate,
  'unknown task': unknown,
  'record lost': () => 'the ledger has lost nothing of it',
};

const INDETERMINATE: Justify = ({ body, job }) => {
  if (body.neverAgain !== true && job.call?.options['attempts'] !== 'never-again') return 'it is not a never-again job';
  if (body.reason === 'record lost') return job.delivered > 1 ? undefined : 'its message was delivered once';
  return job.grants > 0 ? undefined : 'it was never granted';
};

const SKIPPED: Readonly<Record<string, Justify>> = { unless: () => undefined, 'too late': tooLate };

const CANCELLED: Justify = ({ body, record, job, history }) => {
  const { key, reason } = body;
  if (reason === 'overlap') return body.occurrence === undefined ? 'it is no occurrence of a schedule' : undefined;
  if (reason === 'replaced') {
    const rivals = key === undefined ? 0 : history.schedulesOf(record.task, key);
    return rivals > 1 ? undefined : 'nothing else was scheduled under its key';
  }
  const calls = job.cancelCalls + (key === undefined ? 0 : history.cancelsOf(record.task, key));
  return calls > 0 ? undefined : 'nobody asked to cancel it';
};

const malformed: Justify = ({ job }) =>
  job.sent + job.delivered + job.grants === 0 ? undefined : 'it is a job, whose messages can be read';

/** Why the history does not justify how a job ended; undefined if it does. */
export function unjustified(record: LedgerRecord, job: JobHistory, history: History, plan: Plan): string | undefined {
  const body = bodyOf(record);
  const it: Case = { body, record, job, history, plan };
  const reason = body.reason ?? '';
  switch (record.state) {
    case 'dead':
      if (job.gaveUp.includes(reason)) return undefined; // R2
      if (reason.startsWith(MALFORMED)) return malformed(it);
      return (Object.hasOwn(DEAD, reason) ? DEAD[reason] : noReason)?.(it);
    case 'indeterminate':
      return INDETERMINATE(it);
    case 'skipped':
      return (SKIPPED[reason] ?? noReason)(it);
    case 'cancelled':
      return CANCELLED(it);
    default:
      return `${record.state} is no end`;
  }
}

const noReason: Justify = ({ body }) => `${JSON.stringify(body.reason)} is no reason`;
