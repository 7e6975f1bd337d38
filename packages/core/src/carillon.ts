// Carillon: what users hold: schedule, cancel, get, list, on; start and stop.

import type { DeclaredOptions } from './declared-schedules.js';
import { CarillonError } from './errors.js';
import { candidate, type Candidate, type ScheduleFields } from './job/candidate.js';
import type { JobView } from './job/view.js';
import { checkNamespace, queueName, queueOf } from './message/names.js';
import type { JsonOf } from './message/payload.js';
import { validate } from './message/schema.js';
import type { Backend } from './ports/backend.js';
import { Engine } from './runtime/engine.js';
import { type AmendAnswer, Amendments } from './runtime/amendments.js';
import { type JobAddress, type JobPage, type JobQuery, Jobs } from './runtime/jobs.js';
import { Placements, type ScheduleAnswer, type ScheduleRefusal } from './runtime/placements.js';
import { Schedules } from './schedules.js';
import { type Catalog, catalogOf } from './task/catalog.js';
import type { EventMap, Listener } from './task/events.js';
import { consoleLogger, type Logger } from './task/logger.js';
import { atLeast, atLeastOne, checkQueue, onlyKnown, type ResolvedTask, resolveTask } from './task/options.js';
import type { AnyTask, OnExisting, PayloadOf, ResultOf, TaskDefinition, TaskRef } from './task/task.js';
import { taskOf } from './task/task.js';
import { type Clock, type Ids, type Random, systemClock, systemIds, systemRandom } from './time/clock.js';
import { dueOf, type When } from './time/due.js';
import { type Duration, durationMs } from './time/duration.js';

/** How to make a `Carillon`. */
export interface CarillonOptions {
  /** Where jobs are kept and carried: `embedded('./data')`, or `{ transport, ledger }`. */
  readonly backend: Backend;
  /** The tasks that this process runs; none for one that only schedules. */
  readonly tasks?: readonly TaskDefinition[];
  /** The queues that it serves, with how many handlers each may run at once; default: the queues of its tasks. */
  readonly queues?: readonly string[] | Readonly<Record<string, { readonly concurrency?: number }>>;
  /** How many handlers run at once in all; default 100. */
  readonly concurrency?: number;
  /** Prefixes everything that is written, so that apps and tenants share a store; default none. */
  readonly namespace?: string;
  /** Names this process in leases and lists; default host, process and a random part. */
  readonly name?: string;
  /** How long a worker may be silent before another takes its jobs over; default `'30s'`, at least a second. */
  readonly lease?: Duration;
  /** Limits in bytes; default 256 KiB for a payload, 16 KiB for a result or progress. */
  readonly limits?: { readonly payloadBytes?: number; readonly resultBytes?: number };
  /** What happens to schedules that its tasks declare. */
  readonly schedules?: DeclaredOptions;
  /** A pino logger, or anything of its shape; default: warnings and errors to the console. */
  readonly logger?: Logger;
  /** Ports for tests and simulation; default the host's own. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly ids?: Ids;
}

/** When and how one job is scheduled. On-claim jobs have no key, so a key with them does not compile; nor does `onExisting`
 *  without a key. */
export type ScheduleOptions = Omit<ScheduleFields, 'key' | 'onExisting' | 'record' | 'in' | 'at' | 'timezone'> &
  (
    | { readonly in?: Duration; readonly at?: never; readonly timezone?: never }
    | { readonly at: Date | string; readonly timezone?: string; readonly in?: never }
  ) &
  (
    | { readonly key: string; readonly onExisting?: OnExisting; readonly record?: 'on-schedule' }
    | { readonly key?: string; readonly onExisting?: never; readonly record?: 'on-schedule' }
    | { readonly record: 'on-claim'; readonly key?: never; readonly onExisting?: never }
  );

/** The payload argument: it may be left out if the handler takes none. */
export type ScheduleArguments<T extends TaskRef> =
  undefined extends PayloadOf<T>
    ? [payload?: JsonOf<PayloadOf<T>>, options?: ScheduleOptions]
    : [payload: JsonOf<PayloadOf<T>>, options?: ScheduleOptions];

/** One call of `scheduleMany`; the payload may be left out if the handler takes none. */
export type ScheduleCall<T extends TaskRef = TaskRef> = {
  readonly task: T;
  readonly options?: ScheduleOptions;
} & (undefined extends PayloadOf<T>
  ? { readonly payload?: JsonOf<PayloadOf<T>> }
  : { readonly payload: JsonOf<PayloadOf<T>> });

/** Which job of a task: by its business key or its id. */
export type JobRef = { readonly key: string; readonly id?: never } | { readonly id: string; readonly key?: never };

/** How a cancel was answered. */
export type CancelAnswer = Omit<AmendAnswer, 'outcome'> & {
  readonly outcome: 'cancelled' | 'running' | 'settled' | 'unknown' | 'requested';
};
/** How a reschedule was answered. */
export type RescheduleAnswer = Omit<AmendAnswer, 'outcome'> & {
  readonly outcome: 'rescheduled' | 'running' | 'settled' | 'unknown';
};
/** How a redrive was answered; `settled` and `running` mean that the job was not set aside, or that only a dead letter
 *  (a malformed message, a lost record) is left of it, which nothing can be run with. */
export type RedriveAnswer = Omit<AmendAnswer, 'outcome'> & {
  readonly outcome: 'redriven' | 'running' | 'settled' | 'unknown';
};

const KIB = 1024;
const MOST_CONCURRENT = 1_000_000; // shares of it are computed, so it is a number also if it was said to be Infinity
const CARILLON_OPTIONS: readonly (keyof CarillonOptions)[] = [
  'backend',
  'tasks',
  'queues',
  'concurrency',
  'namespace',
  'name',
  'lease',
  'limits',
  'schedules',
  'logger',
  'clock',
  'random',
  'ids',
];

/** Schedules jobs, and runs those of its tasks. */
export class Carillon implements AsyncDisposable {
  /** The name under which this process holds jobs. */
  readonly name: string;
  /** Recurring work: schedules that make a job of a task at each of their slots. */
  readonly schedules: Schedules;
  readonly #catalog: Catalog;
  readonly #engine: Engine;
  readonly #placements: Placements;
  readonly #jobs: Jobs;
  readonly #amendments: Amendments;
  readonly #namespace: string;
  readonly #payloadBytes: number;
  readonly #ids: Ids;

  /** Throws `E_OPTIONS`, `E_DURATION`, `E_TASK_DUPLICATE` or `E_TASK_HANDLER`; touches nothing outside this process. */
  constructor(options: CarillonOptions) {
    onlyKnown(options, CARILLON_OPTIONS, 'Carillon');
    if (options.backend?.ledger === undefined || options.backend.transport === undefined) {
      throw new CarillonError('E_OPTIONS', 'Carillon has no backend.', {
        next: "Give backend: embedded('./data'), or { transport, ledger }.",
      });
    }
    const {
      backend,
      clock = systemClock,
      random = systemRandom,
      ids = systemIds(clock),
      logger = consoleLogger(),
    } = options;
    const { transport, ledger } = backend;
    if (options.limits !== undefined) onlyKnown(options.limits, ['payloadBytes', 'resultBytes'], 'limits');
    const concurrency = Math.min(atLeastOne(options.concurrency ?? 100, 'concurrency'), MOST_CONCURRENT);
    this.#ids = ids;
    this.#namespace = checkNamespace(options.namespace ?? '');
    this.name = options.name ?? `${process.pid.toString(36)}-${ids.nonce()}`;
    this.#payloadBytes = Math.min(
      atLeastOne(options.limits?.payloadBytes ?? 256 * KIB, 'limits.payloadBytes'),
      transport.limits.maxBytes,
    );
    this.#catalog = catalogOf(options.tasks ?? []);
    const queues = queuesOf(options.queues, this.#catalog);
    this.#engine = new Engine({
      backend,
      catalog: this.#catalog,
      namespace: this.#namespace,
      worker: this.name,
      queues,
      concurrency,
      leaseMs: atLeast(durationMs(options.lease ?? '30s', 'lease'), 1000, 'lease in milliseconds'),
      maxResultBytes: atLeastOne(options.limits?.resultBytes ?? 16 * KIB, 'limits.resultBytes'),
      log: logger,
      clock,
      random,
      ids,
    });
    for (const { options: task } of this.#catalog.values()) {
      if (!queues.has(task.queue))
        logger.warn({ task: task.name, queue: task.queue }, 'a task is not run here: its queue is not among `queues`');
    }
    this.#placements = new Placements(this.#engine, backend, ids);
    const keepingOf = (task: string): ReturnType<typeof resolveTask> | undefined => this.#catalog.get(task)?.options;
    this.#jobs = new Jobs({ events: this.#engine.events, ledger, clock, namespace: this.#namespace });
    this.#amendments = new Amendments({
      engine: this.#engine,
      jobs: this.#jobs,
      ledger,
      ids,
      namespace: this.#namespace,
      keepingOf,
    });
    this.schedules = new Schedules({
      engine: this.#engine,
      ledger,
      ids,
      namespace: this.#namespace,
      maxBytes: this.#payloadBytes,
      optionsOf: (task) => this.#optionsOf(task),
      open: () => this.#open(),
      declared: {
        clock,
        tasks: [...this.#catalog.values()],
        options: options.schedules ?? {},
        onFailure: (error) => this.#engine.availability.report(error),
      },
    });
  }

  /** Opens the backend and begins to run jobs, if there are tasks. Throws what is missing, with what to do about it. */
  async start(): Promise<void> {
    this.#alive();
    await this.schedules.declared.start();
    await this.#engine.start();
  }

  /**
   * Takes nothing new, lets handlers finish for `within` (default `'30s'`), then aborts them, then gives back what is left.
   * A second call waits for the first.
   */
  async stop(options: { readonly within?: Duration } = {}): Promise<void> {
    onlyKnown(options, ['within'], 'stop');
    const withinMs = durationMs(options.within ?? '30s', 'within');
    this.schedules.declared.stop();
    await this.#engine.stop(withinMs, () => this.#placements.idle());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * Schedules a job. Resolves when it is durable: from then on it is run, or listed with the reason why not. Repeating a
   * call with the same `id` gives the first answer, so a call whose outcome is unclear (`E_UNCLEAR`) can be repeated.
   */
  async schedule<T extends TaskRef>(task: T, ...[payload, options]: ScheduleArguments<T>): Promise<ScheduleAnswer> {
    await this.#open();
    const [answer] = await this.#placements.place([await this.#candidate(taskOf(task), payload, options)]);
    if (answer === undefined || answer.outcome === 'refused')
      throw answer?.error ?? new Error('unreachable: one call, one answer');
    return answer;
  }

  /** Schedules many jobs in one round trip; each is placed, or answered as
   * `refused` with its error, by itself. The answers stand in the calls' order. A call that can't be right throws for all. */
  async scheduleMany<const T extends readonly TaskRef[]>(
    calls: readonly [...{ [K in keyof T]: ScheduleCall<T[K]> }],
  ): Promise<readonly (ScheduleAnswer | ScheduleRefusal)[]> {
    await this.#open();
    if (!Array.isArray(calls)) {
      throw new CarillonError('E_OPTIONS', 'scheduleMany is not given a list.', {
        next: 'Give [{ task, payload, options }].',
      });
    }
    for (const call of calls) onlyKnown(call, ['task', 'payload', 'options'], 'A call of scheduleMany');
    const candidates = await Promise.all(
      calls.map(({ task, payload, options }) => this.#candidate(taskOf(task), payload, options)),
    );
    return this.#placements.place(candidates);
  }

  /**
   * Cancels a job. `cancelled`: it will not run. `running`: an attempt has begun; if it fails it is not repeated, and with
   * `abort` its signal is aborted, at the worker's next heartbeat (a third of its lease). `attempts` says how many had
   * begun: above 0, an effect may exist. `requested`: an on-claim job has no record yet, and will be stopped when it comes;
   * say `record: 'on-claim'` if its task does not.
   */
  async cancel(
    task: TaskRef,
    job: JobRef,
    options: { readonly abort?: boolean; readonly record?: 'on-claim' } = {},
  ): Promise<CancelAnswer> {
    await this.#open();
    onlyKnown(options, ['abort', 'record'], 'cancel');
    const onClaim = (options.record ?? this.#optionsOf(taskOf(task)).record) === 'on-claim';
    const answer = await this.#amendments.cancel(address(task, job), options.abort === true, onClaim);
    return { ...answer, outcome: answer.outcome === 'done' ? 'cancelled' : answer.outcome };
  }

  /** Gives an open job another due time. `running`: an attempt has begun; the new time counts if it fails. */
  async reschedule(task: TaskRef, job: JobRef, when: When): Promise<RescheduleAnswer> {
    await this.#open();
    const { outcome, ...answer } = await this.#amendments.reschedule(
      address(task, job),
      dueOf(when, this.#engine.time.now()),
    );
    return { ...answer, outcome: outcome === 'done' || outcome === 'requested' ? 'rescheduled' : outcome };
  }

  /** Schedules a job again that was set aside (dead or indeterminate), by default at once, with its counts at nought. */
  async redrive(id: string, when?: When): Promise<RedriveAnswer> {
    await this.#open();
    const due = when && dueOf(when, this.#engine.time.now());
    const { outcome, ...answer } = await this.#amendments.redrive({ id }, due);
    return { ...answer, outcome: outcome === 'done' || outcome === 'requested' ? 'redriven' : outcome };
  }

  /** Redrives every dead (or, if asked for, indeterminate) job that the query finds; answers how many. */
  async redriveAll(
    query: Omit<JobQuery, 'limit' | 'cursor' | 'task'> & { readonly task?: TaskRef } = {},
  ): Promise<number> {
    let redriven = 0;
    for await (const job of this.jobs({ states: ['dead'], ...query })) {
      if ((await this.redrive(job.id)).outcome === 'redriven') redriven += 1;
    }
    return redriven;
  }

  /** A job as it is now, with its attempts and who holds it; undefined if there is none (any more). */
  async get<T extends TaskRef>(task: T, job: JobRef): Promise<JobView<PayloadOf<T>, ResultOf<T>> | undefined> {
    await this.#open();
    return (await this.#jobs.get(address(task, job))) as JobView<PayloadOf<T>, ResultOf<T>> | undefined;
  }

  /** One page of jobs, by task, queue, state, key prefix and due range. */
  async list(query: Omit<JobQuery, 'task'> & { readonly task?: TaskRef } = {}): Promise<JobPage> {
    await this.#open();
    const { task, ...rest } = query;
    return this.#jobs.list({ ...rest, ...(task && { task: taskOf(task).name }) });
  }

  /** Every job that a query finds, page by page. */
  async *jobs(query: Omit<JobQuery, 'cursor' | 'task'> & { readonly task?: TaskRef } = {}): AsyncGenerator<JobView> {
    let cursor: string | undefined;
    do {
      const page = await this.list({ ...query, ...(cursor !== undefined && { cursor }) });
      yield* page.jobs;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** Waits until a job is settled and answers with it; throws `E_TIMEOUT` after `within` (default `'30s'`). */
  async result<T extends TaskRef>(
    task: T,
    job: JobRef,
    options: { readonly within?: Duration } = {},
  ): Promise<JobView<PayloadOf<T>, ResultOf<T>>> {
    await this.#open();
    onlyKnown(options, ['within'], 'result');
    const view = await this.#jobs.result(address(task, job), durationMs(options.within ?? '30s', 'within'));
    return view as JobView<PayloadOf<T>, ResultOf<T>>;
  }

  /** Pauses a queue or a task for every engine of the namespace; they notice within a second. Running handlers go on. */
  async pause(target: { readonly queue: string } | { readonly task: TaskRef }): Promise<void> {
    await this.#open();
    await this.#engine.pauses.pause(this.#pausable(target));
  }

  /** Resumes what was paused. */
  async resume(target: { readonly queue: string } | { readonly task: TaskRef }): Promise<void> {
    await this.#open();
    await this.#engine.pauses.resume(this.#pausable(target));
  }

  /** What is paused now, for every engine of the namespace. */
  async paused(): Promise<{ readonly queues: readonly string[]; readonly tasks: readonly string[] }> {
    await this.#open();
    await this.#engine.pauses.refresh();
    const { queues, tasks } = this.#engine.pauses.all;
    return { queues: queues.map((queue) => queueOf(this.#namespace, queue)), tasks };
  }

  /** Listens to an event; returns a function that ends it. */
  on<K extends keyof EventMap>(event: K, listener: Listener<K>): () => void {
    return this.#engine.events.on(event, listener);
  }

  async #open(): Promise<void> {
    this.#alive();
    await this.#engine.open();
  }

  #alive(): void {
    if (!this.#engine.stopping) return;
    throw new CarillonError('E_STOPPED', 'This Carillon has been stopped.', { next: 'Make a new one.' });
  }

  #optionsOf(task: AnyTask): ResolvedTask {
    return this.#catalog.get(task.name)?.options ?? resolveTask(task);
  }

  async #candidate(task: AnyTask, payload: unknown, fields: ScheduleFields = {}): Promise<Candidate> {
    const options = this.#optionsOf(task);
    const { schema } = options;
    if (schema !== undefined) await validate(schema, payload, `the payload of task ${task.name}`); // its output is for the handler
    const context = {
      namespace: this.#namespace,
      maxBytes: this.#payloadBytes,
      now: this.#engine.time.now(),
      mint: () => this.#ids.job(),
    };
    return candidate(options, payload, fields, context);
  }

  #pausable(target: { readonly queue: string } | { readonly task: TaskRef }): { what: 'queue' | 'task'; name: string } {
    onlyKnown(target, 'queue' in target ? ['queue'] : ['task'], 'A pause');
    if ('queue' in target) return { what: 'queue', name: queueName(this.#namespace, checkQueue(target.queue)) };
    return { what: 'task', name: taskOf(target.task).name };
  }
}

function address(task: TaskRef, job: JobRef): JobAddress {
  const { name } = taskOf(task);
  return job.id !== undefined ? { id: job.id, task: name } : { task: name, key: job.key };
}

function queuesOf(queues: CarillonOptions['queues'], catalog: Catalog): Map<string, number> {
  if (queues === undefined) return new Map([...catalog.values()].map(({ options }) => [options.queue, Infinity]));
  const named: readonly (readonly [string, { readonly concurrency?: number }])[] = isList(queues)
    ? queues.map((queue) => [queue, {}])
    : Object.entries(queues);
  for (const [queue, limits] of named) onlyKnown(limits, ['concurrency'], `The queue ${queue}`);
  return new Map(
    named.map(([queue, { concurrency }]) => [
      checkQueue(queue),
      atLeastOne(concurrency ?? Infinity, `concurrency of queue ${queue}`),
    ]),
  );
}

function isList(queues: NonNullable<CarillonOptions['queues']>): queues is readonly string[] {
  return Array.isArray(queues);
}
