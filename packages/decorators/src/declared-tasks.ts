// Declared tasks: where a class keeps what its decorators said.
//
// D1  A class has only its own tasks: a subclass declares its own or has none.
// D2  A task has one token, so that whoever asks for it twice gets the same.
// D3  Nothing here depends on metadata that a compiler emits.

import { CarillonError, TASK, taskOf } from '@carillon/core';
import type { AnyTask, PayloadOf, ResultOf, ScheduleSpec, Task } from '@carillon/core';
import { type Declaration, taskFrom } from './declaration.js';
import { classTaskName, methodTaskName } from './task-name.js';

/** A class that handles tasks: by its `handle`, by decorated methods, or both. */
export type HandlerClass<T extends object = object> = new (...args: never[]) => T;

/** A task that a class declares, with the method that handles it. */
export interface DeclaredTask {
  readonly task: AnyTask;
  readonly method: string | symbol;
  /** When it runs by itself, if it does. */
  readonly recurring?: ScheduleSpec | undefined;
}

type Method = (...args: never[]) => unknown;
type MethodsOf<T> = { [K in keyof T]: T[K] extends Method ? K : never }[keyof T] & (string | symbol);

/** The class that a method would be the `handle` of. */
export type ClassOf<M> = abstract new () => { handle: Extract<M, Method> };

const RECURRING = Symbol.for('@carillon/recurring-task'); // on a class: when its task runs by itself
const METHODS = Symbol.for('@carillon/method-tasks'); // on a prototype: its declarations by method
const METHOD = Symbol.for('@carillon/method-task'); // on a method, where a decorator does not see the prototype

const known = new WeakMap<object, readonly DeclaredTask[]>();

/** Keeps a class's declaration; throws `E_OPTIONS` if it has one, or can't be named. */
export function declareClass(type: HandlerClass, declaration: Declaration): void {
  if (Object.hasOwn(type, TASK)) throw decoratedTwice(`class ${type.name}`);
  if (typeof (type.prototype as { handle?: unknown }).handle !== 'function') {
    throw new CarillonError(
      'E_TASK_HANDLER',
      `The class ${type.name} is decorated as a task and has no method handle.`,
      {
        next: 'Write handle(payload, attempt) in it, or decorate a method instead.',
      },
    );
  }
  Object.defineProperty(type, TASK, { value: taskFrom(declaration, () => classTaskName(type)) });
  if (declaration.recurring !== undefined) Object.defineProperty(type, RECURRING, { value: declaration.recurring });
}

/** Keeps a method's declaration on the prototype that declares it; throws `E_OPTIONS` if it has one. */
export function declareMethod(prototype: object, method: string | symbol, declaration: Declaration): void {
  if (!Object.hasOwn(prototype, METHODS)) Object.defineProperty(prototype, METHODS, { value: new Map() });
  const declared = (prototype as { [METHODS]: Map<string | symbol, Declaration> })[METHODS];
  if (declared.has(method)) throw decoratedTwice(`method ${String(method)}`);
  declared.set(method, declaration);
}

/** Keeps a method's declaration on the method itself; throws `E_OPTIONS` if it has one. */
export function markMethod(method: object, declaration: Declaration): void {
  if (Object.hasOwn(method, METHOD)) throw decoratedTwice('method');
  Object.defineProperty(method, METHOD, { value: declaration });
}

function decoratedTwice(what: string): CarillonError {
  return new CarillonError('E_OPTIONS', `The ${what} is decorated twice.`, {
    next: 'Decorate it with @ScheduledTask() once: it is one task.',
  });
}

/** The tasks of a class (D1), always with the same tokens (D2); throws `E_OPTIONS` for one that can't be named. */
export function declaredTasks(type: HandlerClass): readonly DeclaredTask[] {
  let tasks = known.get(type);
  if (tasks === undefined) known.set(type, (tasks = [...tasksOf(type)]));
  return tasks;
}

function* tasksOf(type: HandlerClass): Generator<DeclaredTask> {
  if (Object.hasOwn(type, TASK)) {
    const recurring = Object.hasOwn(type, RECURRING) ? (type as { [RECURRING]?: ScheduleSpec })[RECURRING] : undefined;
    yield { task: taskOf(type as HandlerClass<{ handle: Method }>), method: 'handle', recurring };
  }
  const prototype = type.prototype as { [METHODS]?: Map<string | symbol, Declaration> };
  const declared = Object.hasOwn(prototype, METHODS) ? prototype[METHODS] : undefined;
  for (const method of Reflect.ownKeys(prototype)) {
    const marked = Object.getOwnPropertyDescriptor(prototype, method)?.value as { [METHOD]?: Declaration } | undefined;
    const declaration = declared?.get(method) ?? marked?.[METHOD];
    if (declaration === undefined) continue;
    const task = taskFrom(declaration, () => methodTaskName(type, method));
    yield { task, method, recurring: declaration.recurring };
  }
}

/**
 * The token of a task that a method handles, to schedule by: `carillon.schedule(methodTask(Reports, 'daily'), …)`.
 * Throws `E_TASK_UNKNOWN` for a method that is not decorated.
 */
export function methodTask<T extends object, K extends MethodsOf<T>>(
  type: HandlerClass<T>,
  method: K,
): Task<PayloadOf<ClassOf<T[K]>>, ResultOf<ClassOf<T[K]>>> {
  const found = declaredTasks(type).find((declared) => declared.method === method);
  if (found !== undefined) return found.task as Task<PayloadOf<ClassOf<T[K]>>, ResultOf<ClassOf<T[K]>>>;
  throw new CarillonError('E_TASK_UNKNOWN', `The method ${String(method)} of ${type.name} is not a task.`, {
    next: `Decorate it with @ScheduledTask(), in ${type.name} itself: tasks are not inherited.`,
  });
}
