// Observation: what a simulated run shows of itself: each thing that happens, as data, at the moment it happens. The
// monitors judge it, the counters count it, the trace writes it down.

import type { Instant, LedgerRecord, OutgoingMessage, RecordKey } from '@carillon/core/spi';
import type { EventMap, RetryOptions } from '@carillon/core';
import type { FaultName } from './plan/faults.js';

/** What happened to a record. `expired`: its retention had ended. */
export type RecordChange = 'written' | 'granted' | 'renewed' | 'sent' | 'removed' | 'expired';

/** What business code asked for. */
export type CallName = 'schedule' | 'cancel' | 'reschedule' | 'redrive' | ScheduleCallName;

/** What business code asked for about a schedule, which the call's `id` names. */
export type ScheduleCallName = 'put' | 'pause' | 'resume' | 'trigger' | 'backfill' | 'delete';

/** A call of business code; `id` or `key` says about which job. */
export interface Call {
  readonly call: CallName;
  readonly number: number;
  readonly task: string;
  readonly id: string | undefined;
  readonly key: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
}

/** An attempt as its handler sees it. */
export interface ObservedAttempt {
  readonly jobId: string;
  readonly task: string;
  readonly number: number;
  readonly fence: number;
  readonly dueAt: Instant;
  readonly nominalAt: Instant;
  /** Set if it is for an occurrence of a schedule. */
  readonly slot?: Instant;
  readonly payload: unknown;
}

/** One thing that happened. `host` did it, or it was done to; undefined for what no host has a part in. */
export type Observation = { readonly at: Instant; readonly host: string | undefined } & (
  | {
      readonly what: 'record';
      readonly change: RecordChange;
      readonly key: RecordKey;
      readonly before: LedgerRecord | undefined;
      readonly after: LedgerRecord | undefined;
    }
  /** The ledger lost acknowledged writes of a record: `after` is what stands there now. */
  | {
      readonly what: 'forgotten';
      readonly key: RecordKey;
      readonly before: LedgerRecord | undefined;
      readonly after: LedgerRecord | undefined;
    }
  | { readonly what: 'message'; readonly change: MessageChange; readonly message: OutgoingMessage }
  | { readonly what: 'attempt'; readonly moment: 'started'; readonly attempt: ObservedAttempt }
  | {
      readonly what: 'attempt';
      readonly moment: 'returned' | 'threw';
      readonly attempt: ObservedAttempt;
      readonly error: unknown;
    }
  | { readonly what: 'call'; readonly call: Call }
  /** `answer` is what the call answered with, or the error that it threw; `tries` how often it was made until then. */
  | {
      readonly what: 'answer';
      readonly call: Call;
      readonly answer: unknown;
      readonly failed: boolean;
      readonly tries: number;
    }
  /** A host asked a server; counted, so that nobody asks in a loop. */
  | { readonly what: 'request'; readonly to: 'broker' | 'ledger'; readonly name: string; readonly served: boolean }
  | { readonly what: 'event'; readonly event: keyof EventMap; readonly data: EventMap[keyof EventMap] }
  /** With a start: `slots`, what the process runs, and how much of it at once; `retries`, how it retries each task. */
  | {
      readonly what: 'host';
      readonly change: HostChange;
      readonly version: number;
      readonly slots?: Slots;
      readonly retries?: ReadonlyMap<string, RetryOptions | undefined>;
    }
  /** A fault happened; `about` says to what. */
  | { readonly what: 'fault'; readonly fault: FaultName; readonly about: string }
  | { readonly what: 'healed' }
);

/** What happened to a message at the broker. `copied`: one more of it was stored. */
export type MessageChange = 'stored' | 'copied' | 'lost' | 'delivered' | 'acked' | 'released';

/** What happened to a host. */
export type HostChange = 'started' | 'crashed' | 'paused' | 'resumed' | 'stopping' | 'stopped';

/** How many handlers a process may run at once: of all tasks together, and of each task that it knows. */
export interface Slots {
  readonly all: number;
  readonly tasks: ReadonlyMap<string, number>;
}

/** Something that watches a run. */
export type Observer = (observation: Observation) => void;

/** An observation without its time, which the run adds. */
export type Happened = Observation extends infer O ? (O extends Observation ? Omit<O, 'at'> : never) : never;

/** How the parts of a run tell what happens. */
export type Tell = (happened: Happened) => void;
