// Schedule calls: what calls about schedules take, and what they answer.

import type { JsonOf } from './message/payload.js';
import type { ScheduleState } from './schedule/schedule.js';
import type { ScheduleView } from './schedule/view.js';
import type { Overlap } from './task/recurring.js';
import type { PayloadOf, TaskRef } from './task/task.js';

/** The payload of a schedule's occurrences: it may be left out if the handler takes none. */
export type PutArguments<T extends TaskRef> =
  undefined extends PayloadOf<T>
    ? [payload?: JsonOf<PayloadOf<T>>, options?: EditOptions]
    : [payload: JsonOf<PayloadOf<T>>, options?: EditOptions];

/** What an edit may compare. */
export interface EditOptions {
  /** Throw `E_SCHEDULE_CHANGED` unless the schedule is at this edition (0: unless there is none). */
  readonly edition?: number | undefined;
}

/** What a put did. `unchanged`: this plan stands already; `outdated`: one of a higher version stands. */
export interface PutAnswer {
  readonly outcome: 'created' | 'updated' | 'unchanged' | 'outdated';
  readonly edition: number;
}

/** How an occurrence beside the rule is asked for. */
export interface RequestOptions {
  /** Names the request: repeating it with the same id asks for nothing more. Minted if left out. */
  readonly id?: string | undefined;
  /** Instead of the schedule's own. */
  readonly overlap?: Overlap | undefined;
}

/** Which schedules to list; every field narrows. */
export interface ScheduleQuery {
  readonly idPrefix?: string | undefined;
  /** Default: all but `deleted`. */
  readonly states?: readonly ScheduleState[] | undefined;
  /** At most so many per page; default 100. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Some schedules; `cursor` is missing on the last page. A page may hold fewer than `limit`, even none, and go on. */
export interface SchedulePage {
  readonly schedules: readonly ScheduleView[];
  readonly cursor?: string;
}
