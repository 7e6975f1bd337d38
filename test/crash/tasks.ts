// Tasks: the two policies whose outcomes under crashes differ.

import { defineTask } from '@carillon/core';

/** What a handler is asked for: how long to take before its effect, and again after it. */
export interface Chore {
  readonly pauseMs: number;
}

/** The tasks by their policy. Crashes alone shall not make a job dead, however many there are. */
export const tasks = {
  retry: defineTask<Chore>('retried', { interruptions: 1000 }),
  'never-again': defineTask<Chore>('never-again', { attempts: 'never-again' }),
} as const;

/** What happens to a job whose attempt was interrupted. */
export type Policy = keyof typeof tasks;

/** Every policy. */
export const policies: readonly Policy[] = ['retry', 'never-again'];
