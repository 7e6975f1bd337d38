// Attempt: one run of a handler: what it is given, how it is told to stop, and how its end becomes an outcome.
//
// X1  An attempt has exactly one outcome; what the handler does after that counts for nothing.
// X2  What only some handlers use (signal, logger, dates) is made when it is first asked for.

import { CarillonError } from '../errors.js';
import { type StandardSchema, validate } from '../message/schema.js';
import type { Grant, LedgerRecord } from '../ports/ledger.js';
import type { Attempt, Occurrence } from '../task/handler.js';
import type { Outcome, Work } from '../task/kind.js';
import type { Logger } from '../task/logger.js';
import { Ruling } from '../task/ruling.js';
import type { Clock, Timer } from '../time/clock.js';
import { formatDuration } from '../time/duration.js';
import type { Instant } from '../time/instant.js';
import type { Member } from './roster.js';

/** Why a handler is told to stop. */
export type StopReason = 'timeout' | 'lost' | 'cancelled' | 'stopping';

/** What all attempts of an engine share. */
export interface AttemptHost {
  readonly clock: Clock;
  readonly log: Logger;
  readonly namespace: string;
  /** The ledger's time. */
  now(): Instant;
  /** Answers with the record as it is then. */
  keepProgress(work: Work, record: LedgerRecord, value: unknown): Promise<LedgerRecord>;
  takesEffect(effect: unknown): boolean;
}

/** How long a handler may go on after its time-out before it counts as ignoring it, in milliseconds. */
export const OVERRUN_MS = 1_000;

const TEXT: Record<StopReason, string> = {
  timeout: 'it ran into its time-out',
  lost: 'its lease was lost',
  cancelled: 'it was cancelled',
  stopping: 'the engine is stopping',
};

/** An attempt in progress; also what its handler is given. */
export class RunningAttempt implements Attempt, Member {
  readonly #host: AttemptHost;
  readonly #work: Work;
  readonly #grant: Grant;
  readonly #startedAt: Instant;
  #controller: AbortController | undefined;
  #stopped: StopReason | undefined;
  #log: Logger | undefined;
  #finish: ((outcome: Outcome | undefined) => void) | undefined;
  #timer: Timer | undefined;
  #handlerEnded = false;
  #effect: unknown;
  /** As it is known to stand now. */
  record: LedgerRecord;
  place = -1;

  constructor(host: AttemptHost, work: Work, grant: Grant, startedAt: Instant) {
    this.#host = host;
    this.#work = work;
    this.#grant = grant;
    this.#startedAt = startedAt;
    this.record = grant.record;
  }

  get jobId(): string {
    return this.#work.id;
  }
  get task(): string {
    return this.#work.entry.task.name;
  }
  get key(): string | undefined {
    return this.#work.key;
  }
  get idempotencyKey(): string {
    const { namespace } = this.#host;
    return namespace === '' ? this.#work.id : `${namespace}/${this.#work.id}`;
  }
  get fencingToken(): number {
    return this.#grant.fence;
  }
  get number(): number {
    return this.#work.number;
  }
  get nominalAt(): Date {
    return new Date(this.#work.nominalAt);
  }
  get dueAt(): Date {
    return new Date(this.#work.dueAt);
  }
  get deliveredAt(): Date {
    return new Date(this.#grant.at);
  }
  get startedAt(): Date {
    return new Date(this.#startedAt);
  }
  get headers(): Readonly<Record<string, string>> {
    return this.#work.headers;
  }
  get occurrence(): Occurrence | undefined {
    const { occurrence, nominalAt } = this.#work;
    if (occurrence === undefined) return undefined;
    const { schedule, origin, previous, slot } = occurrence;
    const latenessMs = Math.max(0, this.#startedAt - nominalAt);
    return {
      schedule,
      origin,
      previous,
      slot: new Date(slot),
      dueAt: this.nominalAt,
      startedAt: this.startedAt,
      latenessMs,
    };
  }
  get log(): Logger {
    return (this.#log ??= this.#host.log.child({ task: this.task, jobId: this.jobId, attempt: this.number }));
  }
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#stopped !== undefined) this.#controller.abort(stopError(this.#stopped, this.#work));
    }
    return this.#controller.signal;
  }
  async progress(value: unknown): Promise<void> {
    this.record = await this.#host.keepProgress(this.#work, this.record, value);
  }

  completeWith(effect: unknown): void {
    if (!this.#host.takesEffect(effect)) {
      throw new CarillonError('E_OPTIONS', 'The ledger does not take this effect.', {
        next: 'Use an effect that remembers the idempotency key itself: docs/exactly-once.md.',
        id: this.#work.id,
      });
    }
    this.#effect = effect;
  }

  /** What shall happen together with the record of this attempt's success. */
  get effect(): unknown {
    return this.#effect;
  }

  /** Why the handler was told to stop, if it was. */
  get stopped(): StopReason | undefined {
    return this.#stopped;
  }

  /** Whether the handler's code has come to its end, counted or not. */
  get handlerEnded(): boolean {
    return this.#handlerEnded;
  }

  /** Runs the handler, to its end if it does not wait. `undefined` means that the attempt was abandoned: nobody may record
   *  anything for it. */
  run(): Outcome | undefined | Promise<Outcome | undefined> {
    let answer: unknown;
    try {
      answer = this.#call();
    } catch (error) {
      this.#handlerEnded = true;
      return this.#thrown(error);
    }
    if (!isPromise(answer)) {
      this.#handlerEnded = true;
      return this.#returned(answer);
    }
    return new Promise((resolve) => {
      this.#finish = resolve;
      if (this.#work.timeoutMs !== Infinity)
        this.#timer = this.#host.clock.after(this.#work.timeoutMs, () => this.stop('timeout'));
      answer.then(
        (value) => this.#handlerEnds(this.#returned(value)),
        (error: unknown) => this.#handlerEnds(this.#thrown(error)),
      );
    });
  }

  /** Tells the handler to stop. After a time-out it has a moment to end by itself. */
  stop(reason: StopReason): void {
    if (reason === 'timeout') {
      this.#timer = this.#host.clock.after(OVERRUN_MS, () => {
        this.#end({ outcome: 'timed-out', error: stopError('timeout', this.#work), ended: false });
      });
    }
    if (this.#stopped !== undefined) return; // its signal is aborted already
    this.#stopped = reason;
    this.#controller?.abort(stopError(reason, this.#work));
  }

  /** Ends the attempt without waiting for the handler any more (X1). */
  abandon(outcome: Outcome | undefined): void {
    this.#end(outcome);
  }

  #call(): unknown {
    const { entry, payload } = this.#work;
    if (entry.options.schema !== undefined) return this.#callChecked(entry.options.schema);
    const handler = entry.resolver.resolve(entry.task);
    if (isPromise(handler)) return handler.then((resolved) => resolved.handle(payload as never, this));
    return handler.handle(payload as never, this);
  }

  async #callChecked(schema: StandardSchema): Promise<unknown> {
    const { entry, payload } = this.#work;
    let checked: unknown;
    try {
      checked = await validate(schema, payload, `the payload of task ${entry.task.name}`);
    } catch (error) {
      throw new InvalidPayload(error);
    }
    const handler = await entry.resolver.resolve(entry.task);
    return handler.handle(checked as never, this);
  }

  #handlerEnds(outcome: Outcome): void {
    this.#handlerEnded = true;
    this.#end(outcome);
  }

  #end(outcome: Outcome | undefined): void {
    const finish = this.#finish;
    this.#finish = undefined; // X1
    this.#timer?.cancel();
    finish?.(outcome);
  }

  #returned(value: unknown): Outcome {
    if (!(value instanceof Ruling)) return { outcome: 'done', result: value };
    return this.#ruled(value);
  }

  #thrown(error: unknown): Outcome {
    if (error instanceof InvalidPayload) {
      return { outcome: 'failed', error: error.cause, verdict: Ruling.of('dead', 0, 'invalid payload') };
    }
    if (error instanceof Ruling) return this.#ruled(error);
    if (this.#stopped === 'timeout')
      return { outcome: 'timed-out', error: stopError('timeout', this.#work), ended: true };
    if (this.#stopped === 'stopping') return { outcome: 'interrupted' };
    return { outcome: 'failed', error, verdict: this.#verdict(error) };
  }

  #ruled(ruling: Ruling): Outcome {
    if (ruling.verdict === 'snooze') return { outcome: 'snoozed', forMs: ruling.afterMs };
    return {
      outcome: 'failed',
      error: new Error(ruling.reason ?? 'the handler asked for another attempt'),
      verdict: ruling,
    };
  }

  #verdict(error: unknown): 'retry' | 'dead' | Ruling {
    const { entry, id, failures, nominalAt } = this.#work;
    const { on } = entry.options;
    if (on === undefined) return 'retry';
    const ageMs = Math.max(0, this.#host.now() - nominalAt);
    try {
      return on(error, { jobId: id, failures: failures + 1, ageMs }) ?? 'retry';
    } catch (thrown) {
      this.log.error({ err: thrown }, 'retry.on threw; the job is retried by its backoff');
      return 'retry';
    }
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

class InvalidPayload {
  constructor(readonly cause: unknown) {}
}

function stopError(reason: StopReason, work: Work): CarillonError {
  return new CarillonError(
    reason === 'timeout' ? 'E_TIMEOUT' : 'E_STOPPED',
    `The attempt was told to stop: ${TEXT[reason]}.`,
    {
      next:
        reason === 'timeout'
          ? `Give the task more than ${formatDuration(work.timeoutMs)}, or let the handler end on its signal.`
          : 'Let the handler end; what it does from here counts for nothing.',
      id: work.id,
    },
  );
}
