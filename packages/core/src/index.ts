// For users: the one thing to hold, tasks and their options, rulings, events, errors.

export { Carillon } from './carillon.js';
export type {
  CancelAnswer,
  JobRef,
  RedriveAnswer,
  RescheduleAnswer,
  ScheduleArguments,
  ScheduleCall,
  ScheduleOptions,
} from './calls.js';
export type { CarillonOptions } from './carillon-options.js';
export type { DeclaredOptions, DeclaredSchedules, SchedulePlan } from './declared-schedules.js';
export { CarillonError } from './errors.js';
export type { ErrorCode } from './errors.js';
export type { JobState, KeptError } from './job/job.js';
export type { AttemptView, JobView } from './job/view.js';
export type { JsonOf } from './message/payload.js';
export type { StandardSchema } from './message/schema.js';
export type { Backend } from './ports/backend.js';
export type { Backoff, BackoffData } from './retry/backoff.js';
export type {
  CalendarSpec,
  DayOfMonth,
  DayOfWeek,
  Dst,
  Field,
  Holidays,
  Month,
  Range,
  RuleSpec,
  Times,
  Weekday,
} from './rule/spec.js';
export type { CatchUp, MissReason, ScheduleState } from './schedule/schedule.js';
export type { PastOccurrence, ScheduleView } from './schedule/view.js';
export type {
  EditOptions,
  PutAnswer,
  PutArguments,
  RequestOptions,
  SchedulePage,
  ScheduleQuery,
} from './schedule-calls.js';
export type { Schedules } from './schedules.js';
export type { JobPage, JobQuery } from './runtime/jobs.js';
export type { ScheduleAnswer, ScheduleRefusal } from './runtime/placements.js';
export type { EventMap, JobEvent, Listener, ScheduleEvent } from './task/events.js';
export { implement } from './task/definition.js';
export type { HandlerResolver, TaskDefinition } from './task/definition.js';
export type { Attempt, Handler, Occurrence, Services } from './task/handler.js';
export { consoleLogger, silentLogger } from './task/logger.js';
export type { Logger } from './task/logger.js';
export type { CatchUpMode, CatchUpSpec, Overlap, Recurring, ScheduleSpec } from './task/recurring.js';
export { giveUp, retryAfter, Ruling, snooze } from './task/ruling.js';
export { defineTask, TASK, taskOf } from './task/task.js';
export type {
  AnyTask,
  Failure,
  Lateness,
  OnExisting,
  PayloadOf,
  ResultOf,
  RetryOptions,
  Task,
  TaskClass,
  TaskOptions,
  TaskRef,
} from './task/task.js';
export type { When } from './time/due.js';
export type { Duration } from './time/duration.js';
