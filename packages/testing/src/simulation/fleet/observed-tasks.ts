// Observed tasks: the tasks that engines run in a simulation, with each attempt told as its handler begins and ends.

import { type Attempt, Ruling, type TaskDefinition } from '@carillon/core';
import type { ObservedAttempt, Tell } from '../observation.js';
import type { Incarnation } from '../world/host.js';

/** The same tasks, watched. What a handler does after its process has crashed did not happen. */
export function observedTasks(
  tasks: readonly TaskDefinition[],
  process: Incarnation,
  tell: Tell,
): readonly TaskDefinition[] {
  const { host } = process;
  return tasks.map(({ task, resolver, recurring }) => ({
    task,
    ...(recurring && { recurring }),
    resolver: {
      ...(resolver.services && { services: resolver.services }),
      async resolve() {
        const handler = await resolver.resolve(task);
        return {
          async handle(payload: never, attempt: Attempt): Promise<unknown> {
            const observed = observe(payload, attempt);
            const say = (happened: Parameters<Tell>[0]): void => {
              if (process.alive) tell(happened);
            };
            say({ what: 'attempt', host, moment: 'started', attempt: observed });
            try {
              const value: unknown = await handler.handle(payload, attempt as never);
              say({
                what: 'attempt',
                host,
                moment: 'returned',
                attempt: observed,
                error: value instanceof Ruling ? value : undefined,
              });
              return value;
            } catch (error) {
              say({ what: 'attempt', host, moment: 'threw', attempt: observed, error });
              throw error;
            }
          },
        };
      },
    },
  }));
}

function observe(payload: unknown, attempt: Attempt): ObservedAttempt {
  const { jobId, task, number, fencingToken, dueAt, nominalAt, occurrence } = attempt;
  return {
    jobId,
    task,
    number,
    fence: fencingToken,
    dueAt: dueAt.getTime(),
    nominalAt: nominalAt.getTime(),
    ...(occurrence && { slot: occurrence.slot.getTime() }),
    payload,
  };
}
