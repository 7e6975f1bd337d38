// BullMQ on Redis, with the settings that are fastest: jobs are removed when they completed, no events are awaited.

import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { folderSize } from './folder-size.js';
import type { Payload, Place, System, SystemEntry, WorkOptions } from './system.js';

const QUEUE = 'bench';

class BullMq implements System {
  readonly #folder: string;
  readonly #connection: Redis;
  readonly #queue: Queue<Payload, void, string>;
  #worker: Worker<Payload, void, string> | undefined;

  constructor(redis: NonNullable<Place['redis']>) {
    this.#folder = redis.folder;
    this.#connection = new Redis({ port: redis.port, host: '127.0.0.1', maxRetriesPerRequest: null });
    this.#queue = new Queue(QUEUE, {
      connection: this.#connection,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    });
  }

  async schedule(payload: Payload): Promise<void> {
    await this.#queue.add('job', payload, timing(payload));
  }

  async scheduleMany(payloads: readonly Payload[]): Promise<void> {
    for (let at = 0; at < payloads.length; at += 1000) {
      await this.#queue.addBulk(
        payloads.slice(at, at + 1000).map((data) => ({ name: 'job', data, opts: timing(data) })),
      );
    }
  }

  async work({ concurrency, started, completed }: WorkOptions): Promise<void> {
    this.#worker = new Worker<Payload, void, string>(QUEUE, async (job) => started(job.data), {
      connection: this.#connection.duplicate(),
      concurrency,
    });
    this.#worker.on('completed', completed);
    this.#worker.on('failed', (_job, error) => {
      throw error;
    });
    await this.#worker.waitUntilReady();
  }

  async footprint() {
    const memory = await this.#connection.info('memory');
    return { serverRamBytes: Number(/used_memory:(\d+)/.exec(memory)?.[1]), diskBytes: folderSize(this.#folder) };
  }

  async close(): Promise<void> {
    await this.#worker?.close(true);
    await this.#queue.close();
    this.#connection.disconnect();
  }
}

/** A due job goes straight to the waiting list, which is BullMQ's fastest way. */
function timing({ dueAt }: Payload) {
  const timestamp = Date.now();
  return { timestamp, delay: Math.max(0, dueAt - timestamp) };
}

export const bullmq: SystemEntry = {
  needs: 'redis',
  open: async ({ redis }) => new BullMq(redis!),
};
