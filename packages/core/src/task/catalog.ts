// Catalog: the tasks that one engine can run, by name.
//
// C1  A name means one task: a second definition of it is refused at start, never decided by order.

import { CarillonError } from '../errors.js';
import type { HandlerResolver, TaskDefinition } from './definition.js';
import { resolveTask, type ResolvedTask } from './options.js';
import type { Recurring } from './recurring.js';
import type { AnyTask } from './task.js';

/** A task that an engine can run. */
export interface CatalogEntry {
  readonly task: AnyTask;
  readonly options: ResolvedTask;
  readonly resolver: HandlerResolver;
  readonly recurring?: Recurring | undefined;
}

/** Name → task. */
export type Catalog = ReadonlyMap<string, CatalogEntry>;

/** Builds the catalog; throws `E_TASK_DUPLICATE`, `E_TASK_HANDLER`, `E_OPTIONS` or `E_DURATION`. */
export function catalogOf(definitions: readonly TaskDefinition[]): Catalog {
  const entries = new Map<string, CatalogEntry>();
  for (const definition of definitions) {
    const { task, resolver, recurring } = (definition ?? {}) as Partial<TaskDefinition>;
    if (task?.name === undefined || resolver === undefined) {
      throw new CarillonError('E_OPTIONS', '`tasks` has an entry that is no task with its handler.', {
        next: 'Pass fromContainer(container, [YourClass]) for decorated classes, or implement(task, handler).',
      });
    }
    if (entries.has(task.name)) {
      throw new CarillonError('E_TASK_DUPLICATE', `Two handlers are registered for the task ${task.name}.`, {
        next: 'Give one of them another name; a name must mean one task.', // C1
      });
    }
    resolver.check?.(task);
    entries.set(task.name, { task, options: resolveTask(task), resolver, recurring });
  }
  return entries;
}
