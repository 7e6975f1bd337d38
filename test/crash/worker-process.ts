// A worker as a process of its own: runs jobs until it is asked to stop, or until something befalls it.

import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Carillon, type Handler, implement, silentLogger } from '@carillon/core';
import { befall, type Fault, withCrashPoints } from './crash-point.js';
import { write } from './journal.js';
import { settingOfProcess, stopAsked, tell } from './parent.js';
import { backendOf, type Store } from './store.js';
import { type Chore, tasks } from './tasks.js';

/** What a worker is started with. */
export interface WorkerSetting {
  readonly name: string;
  readonly store: Store;
  readonly folder: string;
  readonly lease: '2s' | '30s';
  readonly journal: string;
  readonly fault?: Fault;
  /** A worker that was stopped and continued goes on when this file exists. */
  readonly gate: string;
}

const { name, store, folder, lease, journal, fault, gate } = settingOfProcess() as WorkerSetting;

const strike = befall(fault);
const reached: typeof strike = (point) => {
  if (point === 'after ack' || point === fault?.at || fault?.is === 'stopped') void tell({ is: point });
  strike(point);
};

const handler: Handler<Chore>['handle'] = async ({ pauseMs }, attempt) => {
  write(journal, 'start', name, attempt);
  if (pauseMs > 0) await setTimeout(pauseMs);
  if (fault?.is === 'stopped') await beStopped();
  reached('before effect');
  write(journal, 'effect', name, attempt);
  reached('after effect');
  if (pauseMs > 0) await setTimeout(pauseMs);
};

/** Stands still with all threads, and does not turn its event loop between being continued and returning. */
async function beStopped(): Promise<void> {
  await tell({ is: 'stopping' });
  process.kill(process.pid, 'SIGSTOP');
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(gate)) Atomics.wait(cell, 0, 0, 10);
}

const carillon = new Carillon({
  backend: withCrashPoints(backendOf(store, folder), reached),
  tasks: [implement(tasks.retry, handler), implement(tasks['never-again'], handler)],
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
