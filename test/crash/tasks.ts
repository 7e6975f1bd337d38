// Tasks: the policies whose outcomes under crashes differ. A transactional one's effect is in a database, together with
// the entry of its execution; a committed one's is in the ledger's Redis, together with the completion.

import { defineTask } from '@carillon/core';

/** What a handler is asked for: how long to take before its effect, and again after it. */
export interface Chore {
  readonly pauseMs: number;
}

/** The tasks by their policy. Crashes alone shall not make a job dead, however many there are. */
export const tasks = {
  retry: defineTask<Chore>('retried', { interruptions: 1000 }),
  'never-again': defineTask<Chore>('never-again', { attempts: 'never-again' }),
  transactional: defineTask<Chore>('transactional', { interruptions: 1000 }),
  committed: defineTask<Chore>('committed', { interruptions: 1000 }),
} as const;

/** What happens to a job whose attempt was interrupted. */
export type Policy = keyof typeof tasks;

/** The policies that need nothing but the store. */
export const policies: readonly Policy[] = ['retry', 'never-again'];
