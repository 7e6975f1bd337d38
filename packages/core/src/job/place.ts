// Place: `schedule` as a decision. What is asked for meets what stands under its id and its key.
//
// B1  One change writes the job with its first message; a job that the caller was told of is durable (design: placing).
// B2  A repeated id gets the first answer, whatever has happened to the job since.
// B3  A key points to at most one open job; a settled job does not count as existing.
// B4  Replacing a running job leaves it to end, without its key and with the wish not to be repeated, and places another
//     beside it.

import { CarillonError } from '../errors.js';
import { answerRecord } from '../message/names.js';
import type { Expectation, LedgerRecord, RecordContent, RecordKey, Write } from '../ports/ledger.js';
import { type Keeping, keepingOf } from '../task/options.js';
import type { OnExisting } from '../task/task.js';
import type { Instant } from '../time/instant.js';
import { type Carriage, carry } from './carriage.js';
import { attemptsBegun, isSettled, type Job, type PlacedAnswer, readJob, withBody, writeJob } from './job.js';
import { pointTo } from './pointer.js';
import { close } from './settle.js';

/** A job to be placed. */
export interface Placement {
  readonly namespace: string;
  readonly job: Job;
  readonly id: string;
  /** The caller gave the id, so the call may be a repeat. */
  readonly ownId: boolean;
  readonly onExisting: OnExisting;
  /** The task's; a job's own `keep` goes before it. */
  readonly keeping: Keeping;
}

/** What stands in the way, as far as it is known; `undefined` where nothing stood when it was looked at. */
export interface Standing {
  readonly pointer: LedgerRecord | undefined;
  /** The record that the pointer points to. */
  readonly held: LedgerRecord | undefined;
}

/** Nothing known: the common case is tried first, in one round trip. */
export const NOTHING_STANDS: Standing = { pointer: undefined, held: undefined };

/** Writes to commit, and the answer once they are. */
export interface Placing {
  readonly writes: readonly Write[];
  readonly answer: PlacedAnswer;
}

const ABSENT: Expectation = { absent: true };

/** Decides how to place a job. Throws `E_KEY_EXISTS` for a taken key with `onExisting: 'error'`. */
export function place(placement: Placement, standing: Standing, now: Instant, carriage: Carriage): Placing {
  const { job, id, onExisting } = placement;
  const held = standing.held === undefined ? undefined : readJob(standing.held);
  if (standing.held === undefined || held === undefined || isSettled(held)) {
    return placed(placement, standing, { outcome: 'scheduled', id }, [], now, carriage); // B3
  }

  const heldId = standing.pointer?.body ?? '';
  const attempts = attemptsBegun(held, standing.held);
  const running = standing.held.lease !== undefined;
  if (onExisting === 'error') {
    throw new CarillonError(
      'E_KEY_EXISTS',
      `An open job of ${job.task} stands under the key ${JSON.stringify(job.body.key)}.`,
      {
        next: `It is the job ${heldId}. Choose onExisting 'keep', 'replace' or 'throttle', or another key.`,
        id: heldId,
      },
    );
  }
  if (onExisting === 'keep') {
    const same = JSON.stringify(held.body.payload) === textOf(job);
    return answered(placement, standing, { outcome: 'kept', id: heldId, same });
  }
  if (onExisting === 'throttle' && !running) {
    const exchanged = { ...withBody(held, { payload: job.body.payload }), payloadText: job.payloadText };
    const write = rewrite(exchanged, standing.held, standing.held.wakeAt);
    return answered(placement, standing, { outcome: 'throttled', id: heldId }, [write]);
  }

  const replaced = { id: heldId, attempts };
  if (running) {
    const abort = held.body.wish?.want === 'cancel' && held.body.wish.abort; // somebody may have asked for it before
    const wish = { want: 'cancel', abort, reason: 'replaced' } as const;
    const write = rewrite(withBody(held, { unkeyed: true, wish }), standing.held, standing.held.wakeAt); // B4
    return placed(placement, standing, { outcome: 'running', id, replaced }, [write], now, carriage);
  }
  const keeping = keepingOf(held.body.overrides, placement.keeping);
  const gone = close(withBody(held, { unkeyed: true }), 'cancelled', now, keeping, { reason: 'replaced' });
  const write = rewrite(gone, standing.held, undefined);
  return placed(placement, standing, { outcome: 'replaced', id, replaced }, [write], now, carriage);
}

/** The answer of an earlier call with the same id; throws `E_ID_REUSED` if that call placed another payload or task (B2). */
export function repeated(placement: Placement, record: LedgerRecord): PlacedAnswer {
  if (record.key.kind === 'answer') return JSON.parse(record.body) as PlacedAnswer;
  const first = readJob(record);
  const same = first.task === placement.job.task && first.body.key === placement.job.body.key;
  const throttled = first.body.key !== undefined; // its payload may have been exchanged since
  if (same && (throttled || JSON.stringify(first.body.payload) === textOf(placement.job))) {
    return first.body.answer ?? { outcome: 'scheduled', id: placement.id };
  }
  throw new CarillonError('E_ID_REUSED', `The id ${placement.id} already names another job.`, {
    next: 'Repeat a call with exactly what it was first called with, or use a new id.',
    id: placement.id,
  });
}

/** The payload as it is stored, so that repeats are told by what counts. */
function textOf({ payloadText, body }: Job): string {
  return payloadText ?? JSON.stringify(body.payload);
}

function placed(
  placement: Placement,
  standing: Standing,
  answer: PlacedAnswer,
  before: readonly Write[],
  now: Instant,
  carriage: Carriage,
): Placing {
  const plain = answer.outcome === 'scheduled';
  const job = plain ? placement.job : withBody(placement.job, { answer });
  const key = job.record;
  const writes: Write[] = [...before, { do: 'put', key, expect: ABSENT, content: carry(job, now, carriage) }];
  if (job.body.key !== undefined) {
    const expect = standing.pointer === undefined ? ABSENT : { version: standing.pointer.version };
    writes.push(...pointTo(placement.namespace, job, expect));
    if (placement.ownId) writes.push({ do: 'check', key: answerOf(placement), expect: ABSENT }); // B2
  }
  return { writes, answer };
}

function answered(
  placement: Placement,
  standing: Standing,
  answer: PlacedAnswer,
  writes: readonly Write[] = [],
): Placing {
  if (!placement.ownId) return { writes, answer };
  const { job } = placement;
  const key = answerOf(placement);
  const content: RecordContent = {
    ...writeJob(job, undefined),
    state: 'answered',
    expiresAt: (standing.held?.dueAt ?? job.dueAt) + keepingOf(job.body.overrides, placement.keeping).keepDoneMs,
    durableGrant: false,
    body: JSON.stringify(answer),
  };
  return {
    writes: [...writes, { do: 'check', key: job.record, expect: ABSENT }, { do: 'put', key, expect: ABSENT, content }],
    answer,
  }; // B2
}

function rewrite(job: Job, record: LedgerRecord, wakeAt: Instant | undefined): Write {
  const content = writeJob(job, wakeAt, wakeAt === undefined ? [] : record.outbox);
  return { do: 'put', key: record.key, expect: { version: record.version }, content };
}

function answerOf(placement: Placement): RecordKey {
  return answerRecord(placement.namespace, placement.id, placement.job.record.partition);
}
