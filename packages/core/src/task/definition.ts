// Task definition: a task and where its handler comes from; what an engine needs to run it.

import { CarillonError } from '../errors.js';
import type { Handler, Services } from './handler.js';
import type { Recurring } from './recurring.js';
import type { Ruling } from './ruling.js';
import { type AnyTask, type Task, taskOf } from './task.js';

/** Where handlers come from: a container, or plain code. Asked once for each attempt, so scopes are honoured. */
export interface HandlerResolver {
  resolve(task: AnyTask): Handler | Promise<Handler>;
  /** Services for `unless`; without it `unless` gets one whose `get` throws. */
  readonly services?: Services;
  /** Throws at start, with what to write, if the handler of `task` can't be resolved. */
  check?(task: AnyTask): void;
}

/** A task and where its handler comes from: what an engine needs to run it. */
export interface TaskDefinition {
  readonly task: AnyTask;
  readonly resolver: HandlerResolver;
  /** When it runs by itself: put in place when the Carillon starts. */
  readonly recurring?: Recurring;
}

/** Binds a task to a plain function or object, without a container; throws `E_TASK_HANDLER` if it gets neither. */
export function implement<P, R>(
  task: Task<P, R>,
  handler: Handler<P, R | Ruling> | Handler<P, R | Ruling>['handle'],
  services?: Services,
): TaskDefinition {
  const bound: Handler = typeof handler === 'function' ? { handle: handler } : handler;
  if (typeof bound?.handle !== 'function') {
    throw new CarillonError('E_TASK_HANDLER', `The task ${taskOf(task).name} is given no handler.`, {
      next: 'Pass a function, or an object with a `handle` method, as the second argument of implement().',
    });
  }
  return { task, resolver: { resolve: () => bound, ...(services && { services }) } };
}
