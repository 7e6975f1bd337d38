// Handler: the code that runs a job, and what it is given.

import type { Logger } from './logger.js';

/** One occurrence of a schedule, as its handler sees it. */
export interface Occurrence {
  /** The schedule's id. */
  readonly schedule: string;
  /** The time that the schedule's rule names; what identifies the occurrence. */
  readonly slot: Date;
  /** When it was due: the slot, with the rule's jitter and spread; or when it was asked for. */
  readonly dueAt: Date;
  readonly startedAt: Date;
  /** Milliseconds from `dueAt` to `startedAt`. */
  readonly latenessMs: number;
  /** By its rule and in time (`schedule`), by its rule but caught up on, or because somebody asked for it. */
  readonly origin: 'schedule' | 'catch-up' | 'trigger' | 'backfill';
  /** What the last occurrence returned that is known to be done; undefined if there is none. */
  readonly previous: unknown;
}

/** What a handler is given beside the payload: who it is, when it was due, and how to hear that it should stop. */
export interface Attempt {
  readonly jobId: string;
  readonly task: string;
  /** The business key that the job was scheduled under, if any. */
  readonly key: string | undefined;
  /** The same for every attempt of this job: hand it to whatever you call, so that a repeat is recognised. */
  readonly idempotencyKey: string;
  /** Grows with every attempt: a resource that keeps the highest one can refuse an attempt that has been overtaken. */
  readonly fencingToken: number;
  /** Which attempt this is, from 1. */
  readonly number: number;
  /** When the job was meant to run when it was scheduled (or rescheduled). */
  readonly nominalAt: Date;
  /** When this attempt was due: `nominalAt`, or later for a retry. */
  readonly dueAt: Date;
  readonly deliveredAt: Date;
  readonly startedAt: Date;
  /** Aborts on a time-out, on a lost lease, on a cancel that asks for it, and at the end of a stop. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** The headers that the job was scheduled with. */
  readonly headers: Readonly<Record<string, string>>;
  /** Set if the job is an occurrence of a schedule. */
  readonly occurrence: Occurrence | undefined;
  /** Keeps a JSON value on the job for others to see; resolves when it is kept, or when the lease turns out to be lost. */
  progress(value: unknown): Promise<void>;
  /** Has this effect happen together with the record of this attempt's success, or not at all: one that the ledger's own
   *  package makes. The last one counts. Throws `E_OPTIONS` if the ledger does not take it. */
  completeWith(effect: unknown): void;
}

/** The code that runs a job. What it returns is kept as the job's result; a `Ruling` decides what happens next. */
export interface Handler<P = never, R = unknown> {
  handle(payload: P, attempt: Attempt): R | Promise<R>;
}

/** Gives what a handler's own dependencies could give: `unless` asks it for services. */
export interface Services {
  get<T>(token: (abstract new (...args: never[]) => T) | string | symbol): T;
}
