// Recurring: what users write to say when a task runs by itself.

import type { RuleSpec } from '../rule/spec.js';
import type { Duration } from '../time/duration.js';

/** What happens to an occurrence while an earlier one of the same schedule has not ended. */
export type Overlap = 'skip' | 'buffer-one' | 'buffer-all' | 'cancel-other' | 'terminate-other' | 'allow';

/** Which slots run that could not be taken in time: none, the latest, or all of them. */
export type CatchUpMode = 'skip' | 'once' | 'all';

/** When a schedule's occurrences are, and what happens to those that can't simply run. */
export interface ScheduleSpec extends RuleSpec {
  /** What happens to an occurrence while an earlier one has not ended; default `skip`. */
  readonly overlap?: Overlap | undefined;
  /** Which slots run that could not be taken in time (nobody was there, or a message was lost). Slots later than `within`
   *  (default `'1m'`) are too late; of the rest `all` run (the default, the newest `most`: 100), the latest `once`, or
   *  those in time (`skip`). */
  readonly catchUp?: CatchUpMode | CatchUpSpec | undefined;
  /** Pauses the schedule when an occurrence is set aside, dead or indeterminate; default false. */
  readonly pauseOnFailure?: boolean | undefined;
  /** Ends the schedule after so many occurrences; triggers and backfills do not count. Default none. */
  readonly limit?: number | undefined;
  /** Orders those who put it: a lower version than the one that stands changes nothing, so that an old replica can't undo
   *  what a new one declares during a rolling deploy. Default 0. */
  readonly version?: number | undefined;
}

/** Which slots are caught up on, and how far back. */
export interface CatchUpSpec {
  readonly mode?: CatchUpMode | undefined;
  readonly within?: Duration | undefined;
  readonly most?: number | undefined;
}

/** A schedule that is declared in code, beside its task. */
export interface Recurring {
  /** Default: the task's name. */
  readonly id?: string;
  readonly spec: ScheduleSpec;
  readonly payload?: unknown;
}
