// Calls: what users pass to a Carillon's methods, and how they are answered.

import type { ScheduleFields } from './job/candidate.js';
import type { JsonOf } from './message/payload.js';
import type { AmendAnswer } from './runtime/amendments.js';
import type { OnExisting, PayloadOf, TaskRef } from './task/task.js';
import type { Duration } from './time/duration.js';

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
