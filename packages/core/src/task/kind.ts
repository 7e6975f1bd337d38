// Kind: what the runtime asks of a concept that lives in the ledger. A job is one; the runtime never asks which it holds.
//
// D1  Everything here is synchronous and pure: decisions over plain data, effects as data.

import type { Envelope } from '../message/envelope.js';
import type { Expectation, LedgerRecord, RecordContent, RecordKey, Write } from '../ports/ledger.js';
import type { OutgoingMessage } from '../ports/outgoing-message.js';
import type { Instant } from '../time/instant.js';
import type { CatalogEntry } from './catalog.js';
import type { Happening } from './events.js';
import type { Occurrence } from './handler.js';
import type { FailureVerdict } from './task.js';

/** How an attempt ended. */
export type Outcome =
  | { readonly outcome: 'done'; readonly result: unknown }
  | { readonly outcome: 'failed'; readonly error: unknown; readonly verdict: FailureVerdict }
  /** The time-out passed; `ended` tells whether the handler has stopped. */
  | { readonly outcome: 'timed-out'; readonly error: unknown; readonly ended: boolean }
  | { readonly outcome: 'snoozed'; readonly forMs: number }
  /** It began and was given up without a word from the handler: a stop that could not wait. */
  | { readonly outcome: 'interrupted' };

/** Who attempted it, and when. */
export interface Ended {
  readonly worker: string;
  readonly startedAt: Instant;
  readonly endedAt: Instant;
}

/** One step of a record's life: the writes of one change, the messages they promise, what to tell. */
export interface Step {
  readonly writes: readonly Write[];
  readonly outbox: readonly OutgoingMessage[];
  /** What to tell once it is committed; asked for only if somebody listens. */
  readonly happenings: () => readonly Happening[];
}

/** The user's `unless`, ready to be asked, and the step that follows from a yes. */
export interface Guard {
  readonly task: string;
  readonly jobId: string;
  ask(): boolean | Promise<boolean>;
  /** How long its answer is waited for: as long as an attempt may take. */
  timeoutMs(): number;
  skip(): Step;
}

/** Which occurrence an attempt is made for. */
type OccurrenceOf = Pick<Occurrence, 'schedule' | 'origin'> & {
  readonly slot: Instant;
  readonly previous?: unknown;
};

/** An attempt that is about to be made. */
export interface Work {
  readonly entry: CatalogEntry;
  readonly id: string;
  readonly queue: string;
  readonly key: string | undefined;
  readonly payload: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** Set if it is an occurrence of a schedule. */
  readonly occurrence: OccurrenceOf | undefined;
  readonly number: number;
  readonly failures: number;
  readonly nominalAt: Instant;
  readonly dueAt: Instant;
  readonly late: boolean;
  readonly timeoutMs: number;
  /** What follows from an outcome, on the record as it stands now. */
  settle(record: LedgerRecord, outcome: Outcome, ended: Ended): Step;
  /** Gives it back as if it had never been claimed, to be delivered again at `wakeAt`. */
  release(record: LedgerRecord, now: Instant, wakeAt: Instant): Step;
  /** Keeps a progress value, and the lease. */
  progress(record: LedgerRecord, value: unknown): Write;
  /** Whether somebody wishes that the attempt stops. */
  wantsAbort(record: LedgerRecord): boolean;
}

/** What to do with an acquired record. */
export type Arrived =
  | {
      readonly to: 'run';
      readonly work: Work;
      readonly guard: Guard | undefined;
      readonly happenings: readonly Happening[];
    }
  | { readonly to: 'write'; readonly step: Step; readonly guard: Guard | undefined };

/** What to do with a message whose record is not due yet: hop on, or nothing, because another copy has hopped. */
export type Early =
  | { readonly to: 'hop'; readonly step: Step; readonly guard: Guard | undefined }
  | { readonly to: 'ack' };

/** One concept of the ledger, as the runtime sees it. */
export interface Kind {
  /** The `kind` of its records and messages. */
  readonly name: string;
  /** The record that a message with a body starts when it is acquired; a reason if it can't be read. */
  create(
    envelope: Envelope,
    queue: string,
    now: Instant,
    redelivered: boolean,
  ): RecordContent | { readonly malformed: string };
  /** What tells a record's work from other work under the same id (`RecordContent.brief`), if that is known. */
  brief?(record: LedgerRecord): string | undefined;
  /** Records of the same partition that `arrive` wants to see; never throws. */
  concerns?(record: LedgerRecord, now: Instant): readonly RecordKey[];
  /** `seen` are the records that it is concerned with, in their order; a write that expects another version of one of them
   *  makes the change fail, and then it is asked again, with what stands where the step that failed would have placed new
   *  ones behind them. */
  arrive(record: LedgerRecord, now: Instant, paused: boolean, seen?: readonly (LedgerRecord | undefined)[]): Arrived;
  early(record: LedgerRecord, envelope: Envelope, now: Instant): Early;
  /** The record's next message once more, and the write that puts off the next look: what a sweep sends. */
  resend(record: LedgerRecord, now: Instant, jitter: number): Step;
  /** Sets a record aside as dead: the broker refused its message for good, or nothing can be decided about it. */
  setAside(record: LedgerRecord, expect: Expectation, reason: string, now: Instant): Step;
}
