// A replica as a process of its own: runs occurrences until it is asked to stop, or killed, and writes down what it does.

import { setTimeout } from 'node:timers/promises';
import { type Attempt, Carillon, implement, silentLogger } from '@carillon/core';
import { redis } from '@carillon/redis-dedupe';
import { rocketmq } from '@carillon/rocketmq';
import { settingOfProcess, stopAsked, tell } from '../../crash/parent.js';
import { type Effect, write } from './effects.js';
import { type Chore, tasks } from './tasks.js';

/** Where the servers are, and where the effects go. */
export interface ReplicaPlace {
  readonly endpoint: string;
  readonly topicPrefix: string;
  readonly redisUrl: string;
  readonly effects: string;
}

const { life, place } = settingOfProcess() as { life: string; place: ReplicaPlace };

async function work({ workMs }: Chore, attempt: Attempt): Promise<void> {
  const { idempotencyKey, fencingToken, occurrence, signal } = attempt;
  const note = (what: Effect['what']): void => {
    const slot = occurrence?.slot.getTime() ?? NaN;
    const schedule = occurrence?.schedule ?? '';
    write(place.effects, { what, life, idempotencyKey, fencingToken, schedule, slot, at: Date.now() });
  };
  note('start');
  signal.addEventListener('abort', () => note('lost'));
  await tell({ is: 'at work' });
  await setTimeout(workMs, undefined, { signal });
  note('effect');
}

const carillon = new Carillon({
  backend: {
    transport: rocketmq({ endpoint: place.endpoint, prefix: place.topicPrefix }),
    ledger: redis({ url: place.redisUrl, onFinding: () => {} }),
  },
  tasks: [implement(tasks.retry, work), implement(tasks['never-again'], work)],
  concurrency: 100,
  lease: '10s',
  name: life,
  logger: silentLogger,
});
await carillon.start();
await tell({ is: 'ready' });
await stopAsked();
await carillon.stop();
process.exit();
