// From container: task definitions whose handlers an Inversify container makes.
//
// F1  The class is resolved anew for each attempt, so its scope decides what an attempt shares with others.
// F2  A binding of the user's is never changed: it decides how the handler is made.

import { CarillonError } from '@carillon/core';
import type { Attempt, Handler, HandlerResolver, Occurrence, Services, TaskDefinition } from '@carillon/core';
import type { Container, ServiceIdentifier } from 'inversify';
import { checkHandler, checkMetadata } from './container-check.js';
import { makeInjectable } from './constructor-metadata.js';
import { declaredTasks, type DeclaredTask, type HandlerClass } from './declared-tasks.js';

/**
 * The tasks of decorated classes, for `new Carillon({ tasks })`. A class that is not bound yet is bound to itself, in the
 * scope of its `@injectable`, else of the container (transient, unless you say otherwise). The container resolves it for
 * each attempt: transient makes a handler per attempt, request scope also shares what is below it within the attempt, a
 * singleton serves attempts side by side. `unless` gets its services from the container too.
 *
 * Throws `E_TASK_UNKNOWN` for a class that is not decorated and `E_TASK_HANDLER` for one whose constructor does not say
 * what to inject; a binding that is missing is `E_TASK_HANDLER` when the Carillon is made. Nothing is constructed until
 * a job runs.
 */
export function fromContainer(container: Container, classes: readonly HandlerClass[]): TaskDefinition[] {
  const services: Services = { get: (token) => container.get(token as ServiceIdentifier<never>) };
  return classes.flatMap((type, index) => {
    const tasks = tasksOf(type, index);
    register(container, type);
    const check = (): void => checkHandler(container, type);
    return tasks.map(({ task, method, recurring }) => ({
      task,
      resolver: { resolve: resolve(container, type, method, recurring !== undefined), services, check },
      ...(recurring !== undefined && { recurring: { spec: recurring } }),
    }));
  });
}

function tasksOf(type: HandlerClass | undefined, index: number): readonly DeclaredTask[] {
  if (typeof type !== 'function') {
    throw new CarillonError('E_OPTIONS', `The class at index ${String(index)} of fromContainer() is ${String(type)}.`, {
      next: 'Pass a class; if you do, its module is in a circle of imports and has not run yet.',
    });
  }
  const tasks = declaredTasks(type);
  if (tasks.length > 0) return tasks;
  throw new CarillonError('E_TASK_UNKNOWN', `The class ${type.name || '(anonymous)'} has no task.`, {
    next: 'Decorate it, or a method of it, with @ScheduledTask(): a task of its base class is not inherited.',
  });
}

function register(container: Container, type: HandlerClass): void {
  makeInjectable(type);
  if (isBound(container, type)) return; // F2
  checkMetadata(type);
  container.bind(type as ServiceIdentifier<object>).toSelf();
}

function isBound(container: Container, type: HandlerClass): boolean {
  try {
    return container.isBound(type);
  } catch (error) {
    checkMetadata(type); // a container that binds by itself reads them, and has just refused them
    throw error;
  }
}

function resolve(
  container: Container,
  type: HandlerClass,
  method: string | symbol,
  recurring: boolean,
): HandlerResolver['resolve'] {
  const service = type as ServiceIdentifier<Record<string | symbol, Handler['handle']>>;
  return async () => {
    const instance = await container.getAsync(service); // F1
    if (typeof instance[method] === 'function') {
      const call = (given: unknown, attempt: Attempt): unknown =>
        (instance[method] as Handler['handle'])(given as never, attempt);
      return { handle: (payload, attempt) => call(recurring ? occurrenceOf(attempt) : payload, attempt) };
    }
    throw new CarillonError('E_TASK_HANDLER', `The container's ${type.name} has no method ${String(method)}.`, {
      next: `Bind ${type.name} to itself, or to what has the method.`,
    });
  };
}

/** The occurrence that an attempt is made for; a job that was scheduled by hand is one that was asked for. */
function occurrenceOf(attempt: Attempt): Occurrence {
  const { occurrence, task, nominalAt, dueAt, startedAt } = attempt;
  if (occurrence !== undefined) return occurrence;
  const latenessMs = Math.max(0, startedAt.getTime() - dueAt.getTime());
  return { schedule: task, slot: nominalAt, dueAt, startedAt, latenessMs, origin: 'trigger', previous: undefined };
}
