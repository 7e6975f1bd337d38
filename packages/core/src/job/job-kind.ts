// Job kind: jobs as the runtime sees them: which writes, messages and events follow from each decision about a job.

import { CarillonError } from '../errors.js';
import { digestOf } from '../message/digest.js';
import type { Envelope } from '../message/envelope.js';
import { idOf, queueOf } from '../message/names.js';
import type { Expectation, LedgerRecord, RecordContent, Write } from '../ports/ledger.js';
import type { OutgoingMessage } from '../ports/outgoing-message.js';
import type { Catalog, CatalogEntry } from '../task/catalog.js';
import type { Happening, JobEvent } from '../task/events.js';
import type { Services } from '../task/handler.js';
import type { Arrived, Early, Guard, Kind, Step } from '../task/kind.js';
import { type Keeping, keepingOf, type ResolvedPolicy, resolvePolicy } from '../task/options.js';
import type { Random } from '../time/clock.js';
import type { Instant } from '../time/instant.js';
import { deciderOf, isUndecided } from './ahead.js';
import { arrive, hop, STRANGER } from './arrive.js';
import { type Carriage, carry, deliveryTime, GRACE_MS, UNSENT_MS, wakeMessage } from './carriage.js';
import {
  isSettled,
  type Job,
  type JobBody,
  nextGeneration,
  placedAt,
  readJob,
  salvageJob,
  withBody,
  writeJob,
} from './job.js';
import { readBody } from './job-body.js';
import { ended, onItsWay } from './happenings.js';
import { held, type JobDesk, JobWork } from './job-work.js';
import { withPointer } from './pointer.js';
import { withBell } from './bell.js';
import { close, keptForMs } from './settle.js';

/** What the kind is made of: the tasks it can run, and how the backend carries jobs. */
export interface JobKindParts {
  readonly namespace: string;
  readonly catalog: Catalog;
  readonly carriage: () => Carriage;
  readonly random: Random;
}

const TOO_OLD = 'older than its record would have been kept';
const LONGEST_SWEEP_MS = 3_600_000;

/** Makes the kind `job`. */
export function jobKind(parts: JobKindParts): Kind {
  const { namespace, catalog, carriage, random } = parts;

  const about = (job: Job): JobEvent => ({
    id: idOf(namespace, job.record),
    task: job.task,
    queue: queueOf(namespace, job.queue),
    key: job.body.key,
  });

  const policyOf = (job: Job): ResolvedPolicy | undefined => {
    const entry = catalog.get(job.task);
    return entry && resolvePolicy(entry.options, job.body.overrides);
  };

  const keepingFor = (job: Job): Keeping => policyOf(job) ?? keepingOf(job.body.overrides, STRANGER);

  const content = (job: Job, now: Instant, wakeAt?: Instant): RecordContent =>
    isSettled(job) ? writeJob(job, undefined) : carry(job, now, carriage(), wakeAt);

  const step: JobDesk['step'] = (job, record, expect, now, happenings, wakeAt) => {
    const { content: written, writes } = withBell(namespace, job, content(job, now, wakeAt), now, carriage().fused);
    const pointer = record.wakeAt === undefined ? NO_WRITES : withPointer(namespace, job); // else its key may be another's
    const put: Write = { do: 'put', key: record.key, expect, content: written };
    return {
      writes: pointer.length === 0 && writes.length === 0 ? [put] : [put, ...pointer, ...writes],
      outbox: written.outbox.length === 0 ? NO_MESSAGES : written.outbox.map((entry) => entry.message),
      happenings,
    };
  };

  const skipped = (job: Job, record: LedgerRecord, expect: Expectation, now: Instant): Step => {
    const gone = close(job, 'skipped', now, keepingFor(job), { reason: 'unless' });
    return step(gone, record, expect, now, () => ended(gone, about(gone), undefined));
  };

  const guardOf = (entry: CatalogEntry | undefined, job: Job, skip: () => Step): Guard | undefined => {
    const unless = entry?.options.unless;
    if (entry === undefined || unless === undefined) return undefined;
    return {
      task: job.task,
      jobId: idOf(namespace, job.record),
      ask: () => unless(job.body.payload as never, entry.resolver.services ?? NO_SERVICES),
      timeoutMs: () => policyOf(job)?.timeoutMs ?? Infinity,
      skip,
    };
  };

  const desk: JobDesk = { namespace, random, about, step };

  return {
    name: 'job',

    create(
      envelope: Envelope,
      queue: string,
      now: Instant,
      redelivered: boolean,
    ): RecordContent | { malformed: string } {
      const sent = readBody(envelope.body ?? '');
      if (sent === undefined) return { malformed: 'the body of an on-claim message is not a job' };
      const body: { -readonly [K in keyof JobBody]: JobBody[K] } = { ...sent };
      for (const field of RECORD_ONLY) delete body[field];
      body.brief = digestOf(JSON.stringify(body.payload));
      body.lastMessageAt = Math.max(now, envelope.dueAt); // copies of the message must find the record (S5 of settle.ts)
      const job: Job = {
        record: envelope.key,
        task: envelope.task,
        queue,
        generation: envelope.generation,
        state: 'scheduled',
        dueAt: envelope.dueAt,
        expiresAt: undefined,
        body,
      };
      const keeping = keepingFor(job);
      const suspect = redelivered && body.neverAgain === true; // it may have begun, and the ledger forgotten it
      const sentAt = Math.max(envelope.dueAt, placedAt(job));
      const old = now - sentAt >= keptForMs(keeping); // a record may have gone
      let kept = job;
      if (suspect) kept = close(job, 'indeterminate', now, keeping, { reason: 'record lost' });
      else if (old)
        kept = close(job, body.neverAgain === true ? 'indeterminate' : 'dead', now, keeping, { reason: TOO_OLD });
      return writeJob(kept, isSettled(kept) ? undefined : Math.max(now, job.dueAt) + GRACE_MS);
    },

    brief: (record) => record.brief ?? readBody(record.body)?.brief,

    concerns: (record, now) => deciderOf(namespace, record, now),

    arrive(record: LedgerRecord, now: Instant, paused: boolean, [schedule] = []): Arrived {
      const delivered = readJob(record);
      const entry = catalog.get(delivered.task);
      const policy = policyOf(delivered);
      const interruptions: Happening[] = record.interrupted.map((lease) => ({
        event: 'job:interrupted',
        data: { worker: lease.holder, ...about(delivered) },
      }));
      const undecided = schedule !== undefined && isUndecided(delivered.body, schedule);
      const arrival = arrive(delivered, record, { now, policy, paused, undecided });
      const { job } = arrival;

      if (arrival.to === 'run' && entry !== undefined && policy !== undefined) {
        const guard = guardOf(entry, job, () => skipped(job, record, held(record), now));
        return {
          to: 'run',
          work: new JobWork(desk, entry, policy, record, job, arrival.late),
          guard,
          happenings: interruptions,
        };
      }
      if (arrival.to === 'run') throw new Error(`unreachable: task ${job.task} runs without being known`);
      const guard =
        arrival.why === 'hop' ? guardOf(entry, job, () => skipped(job, record, held(record), now)) : undefined;
      const happening = (): readonly Happening[] => onItsWay(arrival.why, job, about(job));
      return {
        to: 'write',
        step: step(job, record, held(record), now, () => [...interruptions, ...happening()], arrival.wakeAt),
        guard,
      };
    },

    early(record: LedgerRecord, envelope: Envelope, now: Instant): Early {
      const job = readJob(record);
      if ((job.body.hop ?? 0) !== envelope.hop) return { to: 'ack' }; // another copy has hopped
      const expect: Expectation = { version: record.version };
      const guard = guardOf(catalog.get(job.task), job, () => skipped(job, record, expect, now));
      const on = hop(job);
      const hopped: Happening = { event: 'job:hopped', data: { dueAt: on.dueAt, ...about(on) } };
      return { to: 'hop', step: step(on, record, expect, now, () => [hopped], Math.max(on.dueAt, now)), guard };
    },

    resend(record: LedgerRecord, now: Instant, jitter: number): Step {
      const job = readJob(record);
      const sweeps = (job.body.sweeps ?? 0) + 1;
      const graceMs = Math.min(GRACE_MS * 2 ** Math.min(sweeps, 16), LONGEST_SWEEP_MS) * (1 + jitter / 2);
      const deliverAt = deliveryTime(job, Math.max(job.dueAt, now), now, carriage());
      const resent = (content: RecordContent, outbox: Step['outbox']): Step => ({
        writes: [{ do: 'put', key: record.key, expect: { version: record.version }, content }],
        outbox,
        happenings: NOTHING,
      });
      const lastMessageAt = Math.max(now, deliverAt, job.body.lastMessageAt ?? 0);
      if (record.outbox.length === 0) {
        const swept = withBody(job, { sweeps, lastMessageAt });
        return resent(writeJob(swept, Math.round(Math.max(now, deliverAt) + graceMs)), [wakeMessage(job, deliverAt)]);
      }
      const unsent = record.outbox.map(({ message }) => {
        return { message, wakeAt: Math.max(now, message.deliverAt) + GRACE_MS };
      });
      const again = Math.round(now + UNSENT_MS * (1 + jitter)); // it stays promised until it is sent
      return resent(
        writeJob(withBody(job, { lastMessageAt }), again, unsent),
        unsent.map(({ message }) => message),
      );
    },

    setAside(record: LedgerRecord, expect: Expectation, reason: string, now: Instant): Step {
      const dead = close(salvageJob(record), 'dead', now, STRANGER, { reason });
      const edited = { ...dead, generation: nextGeneration(dead.generation, now) };
      return step(edited, record, expect, now, () => ended(dead, about(dead), undefined));
    },
  };
}

/** What only a record can say of a job; in a message it would be made up. */
const RECORD_ONLY = [
  ...(['key', 'unkeyed', 'placedAt', 'nominalAt', 'hop', 'sweeps', 'messages', 'lastMessageAt', 'failures'] as const),
  ...(['interruptions', 'starts', 'attempts', 'wish', 'answer', 'unknownSince', 'progress', 'result'] as const),
  ...(['settledAt', 'reason', 'brief', 'occurrence'] as const),
] satisfies readonly (keyof JobBody)[];

const NOTHING = (): readonly Happening[] => [];
const NO_WRITES: readonly Write[] = [];
const NO_MESSAGES: readonly OutgoingMessage[] = [];

const NO_SERVICES: Services = {
  get() {
    throw new CarillonError('E_TASK_HANDLER', '`unless` asked for a service, and this task has none.', {
      next: 'Register the task through a container, or pass services to implement().',
    });
  },
};
