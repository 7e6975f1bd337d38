// Events: what an engine tells its program about, as typed data. Listeners never change what happens.

import type { Instant } from '../time/instant.js';

/** What every event about a job says. */
export interface JobEvent {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly key: string | undefined;
}

/** What every event about a schedule says. */
export interface ScheduleEvent {
  readonly schedule: string;
  readonly task: string;
}

/** Event → what its listeners are given. */
export interface EventMap {
  'job:scheduled': JobEvent & { readonly dueAt: Instant; readonly outcome: string };
  /** `latenessMs`: from the due time of this attempt to its start. `late`: beyond the task's `maxLateness`. */
  'job:started': JobEvent & { readonly attempt: number; readonly latenessMs: number; readonly late: boolean };
  'job:completed': JobEvent & { readonly attempt: number; readonly durationMs: number; readonly result: unknown };
  'job:failed': JobEvent & { readonly attempt: number; readonly error: unknown; readonly retryAt: Instant };
  'job:snoozed': JobEvent & { readonly attempt: number; readonly until: Instant };
  'job:dead': JobEvent & { readonly reason: string; readonly error: unknown };
  'job:indeterminate': JobEvent & { readonly reason: string };
  'job:cancelled': JobEvent & { readonly reason: string };
  'job:skipped': JobEvent & { readonly reason: string };
  'job:rescheduled': JobEvent & { readonly dueAt: Instant };
  /** An attempt began and ended without a word: a crash, a lost lease, a stop that could not wait. */
  'job:interrupted': JobEvent & { readonly worker: string };
  /** Given back, because this engine does not know the task or the version, or it is paused. */
  'job:given-back': JobEvent & { readonly why: string };
  'job:hopped': JobEvent & { readonly dueAt: Instant };
  /** A handler ignored its time-out or its lost lease; its late outcome counts for nothing. */
  'job:overran': JobEvent & { readonly attempt: number; readonly why: string };
  'lease:lost': JobEvent & { readonly attempt: number };
  /** The ledger has lost a record or the latest write of it: a message came that finds none, or a failover took back what
   *  had been recorded. The job may run again. */
  'ledger:loss': { readonly id: string; readonly task: string };
  'delivery:malformed': { readonly id: string; readonly queue: string; readonly reason: string };
  /** An occurrence was placed: `id` names its job. */
  'schedule:occurred': ScheduleEvent & { readonly id: string; readonly slot: Instant; readonly origin: string };
  /** Slots that did not run, from `slot` to `to`, and why. */
  'schedule:missed': ScheduleEvent & {
    readonly reason: string;
    readonly slot: Instant;
    readonly to: Instant;
    readonly count: number;
  };
  'schedule:paused': ScheduleEvent & { readonly note: string | undefined };
  'schedule:ended': ScheduleEvent;
  'schedule:dead': ScheduleEvent & { readonly reason: string };
  'sweep:done': { readonly examined: number; readonly resent: number };
  /** A port does not answer, told once per outage; and its end, once the ports have answered for ten seconds since. */
  'backend:down': { readonly reason: unknown };
  'backend:up': { readonly downMs: number };
}

/** An event as data: its name, and what its listeners are given. */
export type Happening = { [K in keyof EventMap]: { readonly event: K; readonly data: EventMap[K] } }[keyof EventMap];

/** Something that hears events. */
export type Listener<K extends keyof EventMap> = (data: EventMap[K]) => void;
