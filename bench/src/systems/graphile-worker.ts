// Graphile Worker on PostgreSQL, tuned as its performance page says: a local queue and batched completion.

import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import type { Runner, WorkerUtils } from 'graphile-worker';
import { Pool } from 'pg';
import type { Payload, System, SystemEntry, WorkOptions } from './system.js';

const TASK = 'job';
const TUNING = {
  localQueue: { size: 500 },
  completeJobBatchDelay: 0,
  failJobBatchDelay: 0,
  pollInterval: 20, // ms, and so how late a delayed job may start; the default is 2,000
};

class GraphileWorker implements System {
  readonly #pool: Pool;
  readonly #utils: WorkerUtils;
  #runner: Runner | undefined;

  constructor(pool: Pool, utils: WorkerUtils) {
    this.#pool = pool;
    this.#utils = utils;
  }

  async schedule(payload: Payload): Promise<void> {
    await this.#utils.addJob(TASK, payload, { runAt: new Date(payload.dueAt) });
  }

  async scheduleMany(payloads: readonly Payload[]): Promise<void> {
    for (let at = 0; at < payloads.length; at += 1000) {
      await this.#utils.addJobs(
        payloads.slice(at, at + 1000).map((payload) => ({ identifier: TASK, payload, runAt: new Date(payload.dueAt) })),
      );
    }
  }

  async work({ concurrency, started, completed }: WorkOptions): Promise<void> {
    this.#runner = await run({
      pgPool: this.#pool,
      preset: { worker: { ...TUNING, concurrentJobs: concurrency } },
      logger: silent,
      noHandleSignals: true,
      taskList: { [TASK]: async (payload) => started(payload as Payload) },
    });
    this.#runner.events.on('job:complete', completed);
    this.#runner.events.on('job:failed', ({ error }) => {
      throw error;
    });
  }

  async footprint() {
    const table = `select pg_total_relation_size('graphile_worker._private_jobs') as bytes`;
    const { rows } = await this.#pool.query<{ bytes: string }>(table);
    return { serverRamBytes: null, diskBytes: Number(rows[0]?.bytes) };
  }

  async close(): Promise<void> {
    await this.#runner?.stop();
    await this.#utils.release();
    await this.#pool.end();
  }
}

const fail = (error: Error) => {
  throw error;
};
const silent = new Logger(() => () => {});

export const graphileWorker: SystemEntry = {
  needs: 'postgres',
  open: async ({ postgres }) => {
    const pool = new Pool({ connectionString: postgres!, max: 25 });
    pool.on('error', fail).on('connect', (client) => client.on('error', fail)); // Graphile Worker asks for both
    const utils = await makeWorkerUtils({ pgPool: pool, logger: silent });
    await utils.migrate();
    return new GraphileWorker(pool, utils);
  },
};
