// Recurring task: the decorator that makes a class or a method a task with a schedule of its own.

import type { Occurrence } from '@carillon/core';
import { recurringDeclaration, type RecurringTaskOptions } from './declaration.js';
import { decorate, type TaskDecorator } from './scheduled-task.js';

/**
 * Makes a class with `handle(occurrence, attempt)`, or a method `(occurrence, attempt)` of a class, a task that runs at
 * every slot of its rule: `@RecurringTask({ cron: '0 9 * * 1-5', timezone: 'Europe/Berlin' })`. The schedule has the name
 * of the task, and is put in place when a Carillon that is given it starts; each occurrence then runs once, however many
 * replicas declare it. It stands where `ScheduledTask` can stand; a rule that can't be right is refused at start.
 */
export function RecurringTask(options: RecurringTaskOptions): TaskDecorator<Occurrence, unknown, unknown> {
  return decorate(recurringDeclaration(options), '@RecurringTask()');
}
