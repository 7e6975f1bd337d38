// Tasks: the two policies whose outcomes under kills differ. Kills alone shall not make a job dead, however many there are.

import { defineTask } from '@carillon/core';

/** What a handler is asked for. */
export interface Chore {
  readonly workMs: number;
}

/** The tasks by their policy. */
export const tasks = {
  retry: defineTask<Chore>('retried', { interruptions: 1000 }),
  'never-again': defineTask<Chore>('never-again', { attempts: 'never-again' }),
} as const;

/** What happens to an occurrence whose attempt was interrupted. */
export type Policy = keyof typeof tasks;
