// Carillon: what users hold: schedule, cancel, get, list, on; start and stop.

import type {
  CancelAnswer,
  JobRef,
  RedriveAnswer,
  RescheduleAnswer,
  ScheduleArguments,
  ScheduleCall,
} from './calls.js';
import { type CarillonOptions, resolveOptions } from './carillon-options.js';
import { CarillonError } from './errors.js';
import { candidate, type Candidate, type ScheduleFields } from './job/candidate.js';
import type { JobView } from './job/view.js';
import { queueName, queueOf } from './message/names.js';
import { validate } from './message/schema.js';
import { Engine } from './runtime/engine.js';
import { Amendments } from './runtime/amendments.js';
import { type JobAddress, type JobPage, type JobQuery, Jobs } from './runtime/jobs.js';
import { Placements, type ScheduleAnswer, type ScheduleRefusal } from './runtime/placements.js';
import { Schedules } from './schedules.js';
import type { Catalog } from './task/catalog.js';
import type { EventMap, Listener } from './task/events.js';
import { checkQueue, onlyKnown, type ResolvedTask, resolveTask } from './task/options.js';
import type { AnyTask, PayloadOf, ResultOf, TaskRef } from './task/task.js';
import { taskOf } from './task/task.js';
import type { Ids } from './time/clock.js';
import { dueOf, type When } from './time/due.js';
import { type Duration, durationMs } from './time/duration.js';

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
  readonly #resolved = new WeakMap<AnyTask, ResolvedTask>(); // tasks that others run

  /** Throws `E_OPTIONS`, `E_DURATION`, `E_TASK_DUPLICATE` or `E_TASK_HANDLER`; touches nothing outside this process. */
  constructor(options: CarillonOptions) {
    const resolved = resolveOptions(options);
    const { backend, catalog, namespace, ids, clock } = resolved;
    const { ledger } = backend;
    this.name = resolved.worker;
    this.#ids = ids;
    this.#namespace = namespace;
    this.#payloadBytes = resolved.maxPayloadBytes;
    this.#catalog = catalog;
    this.#engine = new Engine(resolved);
    this.#placements = new Placements(this.#engine, backend, ids);
    const keepingOf = (task: string): ResolvedTask | undefined => catalog.get(task)?.options;
    this.#jobs = new Jobs({ events: this.#engine.events, ledger, clock, namespace });
    this.#amendments = new Amendments({
      engine: this.#engine,
      jobs: this.#jobs,
      ledger,
      ids,
      namespace,
      keepingOf,
    });
    this.schedules = new Schedules({
      engine: this.#engine,
      ledger,
      ids,
      namespace,
      maxBytes: this.#payloadBytes,
      optionsOf: (task) => this.#optionsOf(task),
      open: () => this.#open(),
      declared: {
        clock,
        tasks: [...catalog.values()],
        options: resolved.schedules,
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
  async schedule<T extends TaskRef>(task: T, ...call: ScheduleArguments<T>): Promise<ScheduleAnswer> {
    if (this.#engine.isOpen) this.#engine.time.keep();
    else await this.#open();
    const candidate = this.#candidate(taskOf(task), call[0], call[1]);
    const answers = await this.#placements.place([candidate instanceof Promise ? await candidate : candidate]);
    const answer = answers[0]!;
    if (answer.outcome === 'refused') throw answer.error;
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
      calls.map(async ({ task, payload, options }) => this.#candidate(taskOf(task), payload, options)),
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
    this.#engine.time.keep();
  }

  #alive(): void {
    if (!this.#engine.stopping) return;
    throw new CarillonError('E_STOPPED', 'This Carillon has been stopped.', { next: 'Make a new one.' });
  }

  #optionsOf(task: AnyTask): ResolvedTask {
    const own = this.#catalog.get(task.name)?.options ?? this.#resolved.get(task);
    if (own !== undefined) return own;
    const resolved = resolveTask(task);
    this.#resolved.set(task, resolved);
    return resolved;
  }

  #candidate(task: AnyTask, payload: unknown, fields: ScheduleFields = {}): Candidate | Promise<Candidate> {
    const options = this.#optionsOf(task);
    const { schema } = options;
    if (schema === undefined) return this.#made(options, payload, fields);
    const valid = Promise.resolve(validate(schema, payload, `the payload of task ${task.name}`));
    return valid.then(() => this.#made(options, payload, fields)); // the schema's output is for the handler
  }

  #made(options: ResolvedTask, payload: unknown, fields: ScheduleFields): Candidate {
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
