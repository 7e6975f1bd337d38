// For users: tasks as decorated classes and methods, and their handlers from an Inversify container.

export type { ImplementedTaskOptions, RecurringTaskOptions, ScheduledTaskOptions } from './declaration.js';
export { methodTask } from './declared-tasks.js';
export type { HandlerClass } from './declared-tasks.js';
export { fromContainer } from './from-container.js';
export { RecurringTask } from './recurring-task.js';
export { ScheduledTask } from './scheduled-task.js';
export type { HandlerMethod, TaskDecorator } from './scheduled-task.js';
