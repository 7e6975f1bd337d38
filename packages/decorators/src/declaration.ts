// Declaration: what a decorator says about a task, and the token that it makes of it.

import { CarillonError, defineTask } from '@carillon/core';
import type { AnyTask, ScheduleSpec, StandardSchema, Task, TaskOptions } from '@carillon/core';

/** Options of a task that is declared where it is handled. `U` is what `unless` reads, `S` what `schema` gives out. */
export type ScheduledTaskOptions<U = unknown, S = never> = Omit<TaskOptions<U>, 'schema'> & {
  /**
   * The task's name, by which its jobs are kept and found. By default the class's name in kebab-case, for a method
   * `class.method`; then a renamed or minified class is another task, so give a name where code is bundled or jobs live long.
   */
  readonly name?: string;
  readonly schema?: StandardSchema<unknown, S>;
  readonly task?: undefined;
};

const WORKER_OPTIONS = ['concurrency', 'interruptions', 'maxLateness', 'retry', 'timeout', 'unless'] as const;

/** Options of a class or method that implements a token made by `defineTask`: only those that the worker alone reads. */
export type ImplementedTaskOptions<P, R> = Pick<TaskOptions<P>, (typeof WORKER_OPTIONS)[number]> & {
  /** The token; its name and options hold, and producers schedule by it without this class. */
  readonly task: Task<P, R>;
  readonly name?: undefined;
};

/** Options of a task that its own schedule runs: when, what of overlaps and catch-up, and those of the task. */
export type RecurringTaskOptions = ScheduleSpec &
  Omit<TaskOptions, 'in' | 'onExisting' | 'record' | 'schema' | 'unless'> & {
    /** The name of the task and the id of its schedule. By default as for `ScheduledTask`. */
    readonly name?: string;
  };

/** Options of a task as a decorator was given them. */
export type Declaration = TaskOptions & {
  readonly name?: string | undefined;
  readonly task?: AnyTask | undefined;
  readonly recurring?: ScheduleSpec | undefined;
};

const TASK_OPTIONS = [
  ...(['queue', 'attempts', 'retry', 'interruptions', 'timeout', 'concurrency', 'maxLateness', 'keep'] as const),
  'name',
] satisfies readonly (keyof RecurringTaskOptions)[];

/** The declaration of a task that its own schedule runs. */
export function recurringDeclaration(options: RecurringTaskOptions): Declaration {
  const isTaskOption = ([name]: [string, unknown]): boolean => (TASK_OPTIONS as readonly string[]).includes(name);
  const entries = Object.entries(options);
  const recurring = Object.fromEntries(entries.filter((entry) => !isTaskOption(entry)));
  return { ...Object.fromEntries(entries.filter(isTaskOption)), recurring };
}

/** The token of a declaration; throws `E_OPTIONS` for what can't be one. */
export function taskFrom(declaration: Declaration, defaultName: () => string): AnyTask {
  const { name, task, recurring: _recurring, ...options } = declaration;
  if (task === undefined) return defineTask<never>(name ?? defaultName(), options as object);
  const given = Object.entries({ name, ...options }).filter(([, value]) => value !== undefined);
  if (given.length === 0) return task;
  const misplaced = given.find(([option]) => !(WORKER_OPTIONS as readonly string[]).includes(option));
  if (misplaced === undefined)
    return defineTask<never>(task.name, { ...task.options, ...Object.fromEntries(given) } as object);
  throw new CarillonError('E_OPTIONS', `${misplaced[0]} stands beside the token of task ${task.name}.`, {
    next: "Move it to defineTask(): producers read it there, and they don't see the class.",
  });
}
