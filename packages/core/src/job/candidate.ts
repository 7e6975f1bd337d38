// Candidate: a `schedule` call, checked and made into a job that can be placed.
//
// F1  Whatever can be refused is refused here, before anything is written.

import { CarillonError } from '../errors.js';
import { checkIdentity, checkOwnId, jobRecord, mintedForKey, partitionOf, queueName } from '../message/names.js';
import { encodePayload } from '../message/payload.js';
import { checkQueue, oneOf, onlyKnown, resolvePolicy, type ResolvedTask } from '../task/options.js';
import type { OnExisting, TaskOverrides } from '../task/task.js';
import { dueInstant, dueOf, isWall, type When } from '../time/due.js';
import type { Duration } from '../time/duration.js';
import type { Instant } from '../time/instant.js';
import { type Job, type JobBody, nextGeneration } from './job.js';
import type { Placement } from './place.js';

/** What a `schedule` call may say beside the task and the payload. Every field is optional. */
export interface ScheduleFields extends TaskOverrides {
  /** How long from now it is due; instead of the task's own `in`. */
  readonly in?: Duration;
  /** When it is due: a Date, ISO 8601 with an offset, or a wall time together with `timezone`. */
  readonly at?: Date | string;
  /** The zone of a wall time; it is resolved again at each hop, so it follows changes of the zone's rules. */
  readonly timezone?: string;
  /** Names the job; a call repeated with its id gets the first answer. Minted if left out. */
  readonly id?: string;
  /** Your name for what the job is about, such as an order's number: at most one open job of a task stands under it. */
  readonly key?: string;
  /** What to do if another job stands under the key; instead of the task's own, and only beside a key. */
  readonly onExisting?: OnExisting;
  readonly queue?: string;
  /** Text that travels with the job, such as a trace context. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly record?: 'on-schedule' | 'on-claim';
}

/** What a candidate is made in. */
export interface CandidateContext {
  readonly namespace: string;
  readonly maxBytes: number;
  readonly now: Instant;
  readonly mint: () => string;
}

/** A placement, and whether it leaves no record until it is claimed. */
export type Candidate = Placement & { readonly onClaim: boolean };

const SCHEDULE_OPTIONS: readonly (keyof ScheduleFields)[] = [
  'in',
  'at',
  'timezone',
  'id',
  'key',
  'onExisting',
  'queue',
  'headers',
  'record',
  'attempts',
  'retry',
  'interruptions',
  'timeout',
  'maxLateness',
  'keep',
];
const MOST_HEADERS = 32;
const HEADER_BYTES = 8 * 1024;

/** Makes a placement of a call. Throws `E_OPTIONS`, `E_DURATION`, `E_DUE`, `E_ZONE`, `E_ID`, `E_PAYLOAD`, `E_PAYLOAD_SIZE`. */
export function candidate(
  task: ResolvedTask,
  payload: unknown,
  fields: ScheduleFields,
  context: CandidateContext,
): Candidate {
  const { namespace, maxBytes, now, mint } = context;
  onlyKnown(fields, SCHEDULE_OPTIONS, 'schedule');
  const { key, headers } = fields;
  const onClaim = (fields.record ?? task.record) === 'on-claim';
  oneOf(fields.record, ['on-schedule', 'on-claim'], 'record');
  checkKey(fields, onClaim, task.name);

  const due = dueOf(whenOf(fields, task), now);
  const overrides = overridesOf(fields);
  const { neverAgain } = resolvePolicy(task, overrides);
  const payloadText = encodePayload(payload, maxBytes, 'payload');
  const partition = key === undefined ? undefined : partitionOf(`${task.name}/${key}`);
  const id = fields.id === undefined ? minted(mint(), partition) : checkOwnId(fields.id);
  const body: { -readonly [K in keyof JobBody]: JobBody[K] } = { payload: payload === undefined ? null : payload };
  if (key !== undefined) body.key = key;
  if (isWall(due)) body.wall = due;
  if (overrides !== undefined) body.overrides = overrides;
  if (neverAgain) body.neverAgain = true;
  if (headers !== undefined) body.headers = checkHeaders(headers);
  const job: Job = {
    record: jobRecord(namespace, id, partition),
    task: task.name,
    queue: queueName(namespace, fields.queue === undefined ? task.queue : checkQueue(fields.queue)),
    generation: nextGeneration(0, now),
    state: 'scheduled',
    dueAt: Math.max(0, dueInstant(due)),
    expiresAt: undefined,
    body,
    payloadText,
  };
  return {
    namespace,
    job,
    id,
    ownId: fields.id !== undefined,
    onExisting: fields.onExisting ?? task.onExisting,
    keeping: task,
    onClaim,
  };
}

/** A key needs a record to stand under it, and `onExisting` needs a key. */
function checkKey({ key, onExisting }: ScheduleFields, onClaim: boolean, task: string): void {
  oneOf(onExisting, ['keep', 'replace', 'throttle', 'error'], 'onExisting');
  if (key !== undefined) checkIdentity(key, 'key');
  if (onClaim && key !== undefined) {
    throw new CarillonError('E_OPTIONS', `An on-claim job of ${task} can't have a key.`, {
      next: "Leave the key out, or record: 'on-claim': only a record can stand under a key.",
    });
  }
  if (onExisting === undefined || key !== undefined) return;
  throw new CarillonError('E_OPTIONS', 'onExisting is given without a key.', {
    next: 'Give the key that another job may stand under, or leave onExisting out.',
  });
}

function whenOf(fields: ScheduleFields, task: ResolvedTask): When {
  if (fields.in === undefined && fields.at === undefined && fields.timezone === undefined) return { in: task.delay };
  return fields as When;
}

function minted(id: string, partition: string | undefined): string {
  return partition === undefined ? id : mintedForKey(id, partition);
}

function overridesOf(fields: ScheduleFields): TaskOverrides | undefined {
  const { attempts, retry, interruptions, timeout, maxLateness, keep } = fields;
  const ofTask =
    attempts === undefined &&
    retry === undefined &&
    interruptions === undefined &&
    timeout === undefined &&
    maxLateness === undefined &&
    keep === undefined;
  return ofTask ? undefined : { attempts, retry, interruptions, timeout, maxLateness, keep };
}

function checkHeaders(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const values: unknown =
    typeof headers === 'object' && headers !== null && !Array.isArray(headers) && Object.values(headers);
  if (
    Array.isArray(values) &&
    values.length <= MOST_HEADERS &&
    values.every((value) => typeof value === 'string') &&
    Buffer.byteLength(JSON.stringify(headers)) <= HEADER_BYTES
  ) {
    return { ...headers };
  }
  throw new CarillonError('E_OPTIONS', 'headers is not usable.', {
    next: `Give an object of at most ${String(MOST_HEADERS)} strings, with at most ${String(HEADER_BYTES)} bytes in all.`,
  });
}
