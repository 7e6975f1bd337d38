// A worker as a process of its own: runs jobs until it is asked to stop, or until something befalls it.

import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Carillon, type Handler, implement, silentLogger } from '@carillon/core';
import { redisEffect, sqlInbox } from '@carillon/redis-dedupe/effects';
import { Pool } from 'pg';
import { befall, type Fault, withCrashPoints } from './crash-point.js';
import { write } from './journal.js';
import { settingOfProcess, stopAsked, tell } from './parent.js';
import { backendOf, type Place } from './store.js';
import { type Chore, tasks } from './tasks.js';

/** What a worker is started with. */
export interface WorkerSetting {
  readonly name: string;
  readonly place: Place;
  readonly lease: '2s' | '30s';
  readonly journal: string;
  readonly fault?: Fault;
  /** A worker that was stopped and continued goes on when this file exists. */
  readonly gate: string;
}

const { name, place, lease, journal, fault, gate } = settingOfProcess() as WorkerSetting;
const inbox = sqlInbox();
const pool = new Pool({ connectionString: place.postgres });

const strike = befall(fault);
const reached: typeof strike = (point) => {
  if (point === 'after ack' || point === fault?.at || fault?.is === 'stopped') void tell({ is: point });
  strike(point);
};

/** A handler with this effect. */
function handler(effect: Handler<Chore>['handle']): Handler<Chore>['handle'] {
  return async (chore, attempt) => {
    write(journal, 'start', name, attempt);
    if (chore.pauseMs > 0) await setTimeout(chore.pauseMs);
    if (fault?.is === 'stopped') await beStopped();
    reached('before effect');
    await effect(chore, attempt);
    reached('after effect');
    if (chore.pauseMs > 0) await setTimeout(chore.pauseMs);
  };
}

const journalled = handler((_, attempt) => write(journal, 'effect', name, attempt));
const transactional = handler((_, attempt) =>
  inbox.commit(pool, attemptKeys(attempt), async (tx) => {
    await tx.query('INSERT INTO effect (execution_key, worker) VALUES ($1, $2)', [attempt.idempotencyKey, name]);
  }),
);

const committed = handler((_, attempt) =>
  attempt.completeWith(redisEffect([['INCR', `effect:${attempt.idempotencyKey}`]])),
);

/** An attempt without its signal: a worker that was stopped goes on as if nobody had told it. */
function attemptKeys({ idempotencyKey, fencingToken }: Parameters<Handler['handle']>[1]) {
  return { idempotencyKey, fencingToken };
}

/** Stands still with all threads, and does not turn its event loop between being continued and returning. */
async function beStopped(): Promise<void> {
  await tell({ is: 'stopping' });
  process.kill(process.pid, 'SIGSTOP');
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(gate)) Atomics.wait(cell, 0, 0, 10);
}

const carillon = new Carillon({
  backend: withCrashPoints(backendOf(place), reached),
  tasks: [
    implement(tasks.retry, journalled),
    implement(tasks['never-again'], journalled),
    implement(tasks.transactional, transactional),
    implement(tasks.committed, committed),
  ],
  lease,
  name,
  logger: silentLogger,
});
carillon.on('lease:lost', () => void tell({ is: 'lost its lease' }));
await carillon.start();
await tell({ is: 'ready' });
await stopAsked();
await carillon.stop();
process.exit();
