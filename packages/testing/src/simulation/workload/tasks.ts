// Tasks: the kinds of work of the built-in workloads; together they use every option that a task has.

import { defineTask, implement, type StandardSchema, type TaskDefinition } from '@carillon/core';
import type { Machine, Program } from '../fleet/host.js';
import { isMoot, type Script, scripted } from './script.js';

/** Accepts every script, and takes a moment for it. */
const scriptSchema: StandardSchema<Script, Script> = {
  '~standard': {
    version: 1,
    vendor: 'carillon-simulation',
    validate: async (value) =>
      typeof value === 'object' && value !== null && 'acts' in value
        ? { value: value as Script }
        : { issues: [{ message: 'it is no script' }] },
  },
};

/** Nothing but defaults. */
export const plain = defineTask<Script>('plain');

/** Retried by its age, in the queue `bulk`. */
export const mail = defineTask<Script>('mail', {
  queue: 'bulk',
  retry: {
    for: '20m',
    backoff: { type: 'linear', step: '10s', to: '2m' },
    on: (error) => ((error as { code?: unknown } | undefined)?.code === 'FATAL' ? 'dead' : undefined),
  },
});

/** Attempted once, whatever happens. */
export const charge = defineTask<Script>('charge', { attempts: 'never-again', timeout: '5m' });

/** One at a time on each engine. */
export const report = defineTask<Script>('report', { in: '30s', concurrency: 1, timeout: '5m', interruptions: 3 });

/** Has a point only at its time. */
export const reminder = defineTask<Script>('reminder', {
  unless: isMoot,
  onExisting: 'replace',
  maxLateness: { of: '5m', then: 'skip' },
  retry: { backoff: { type: 'fixed', delay: '15s', jitter: 0.5 } },
});

/** Checks its payload, and is soon forgotten. */
export const audit = defineTask<Script>('audit', {
  schema: scriptSchema,
  attempts: 3,
  keep: '2h',
  onExisting: 'throttle',
});

/** Keeps nothing but a message until it runs. */
export const beacon = defineTask<Script>('beacon', { queue: 'bulk', record: 'on-claim', attempts: 4 });

/** Known only to the new version of the program. */
export const novelty = defineTask<Script>('novelty', { attempts: 3 });

const OLD = [plain, mail, charge, report, reminder, audit, beacon] as const;

/** All of these tasks, as far as a version of the program knows them. */
export const scriptedProgram: Program = (machine: Machine): readonly TaskDefinition[] => {
  const known = machine.version === 1 ? OLD : [...OLD, novelty];
  return known.map((task) => implement(task, scripted(machine)));
};
