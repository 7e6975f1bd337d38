// Carillon on its embedded store, with the durability that it has by default: every acknowledged call is synced to disk.

import { Carillon, defineTask, implement, silentLogger } from '@carillon/core';
import { embedded } from '@carillon/embedded';
import { folderSize } from './folder-size.js';
import type { Payload, System, SystemEntry, WorkOptions } from './system.js';

const job = defineTask<Payload>('job');
const BATCH = 1000;

class CarillonSystem implements System {
  readonly #folder: string;
  readonly #producer: Carillon;
  #worker: Carillon | undefined;

  constructor(folder: string) {
    this.#folder = folder;
    this.#producer = new Carillon({ backend: embedded(folder), logger: silentLogger });
  }

  open(): Promise<void> {
    return this.#producer.start();
  }

  async schedule(payload: Payload): Promise<void> {
    await this.#producer.schedule(job, payload, { at: new Date(payload.dueAt) });
  }

  async scheduleMany(payloads: readonly Payload[]): Promise<void> {
    for (let at = 0; at < payloads.length; at += BATCH) {
      const calls = payloads.slice(at, at + BATCH).map((payload) => {
        return { task: job, payload, options: { at: new Date(payload.dueAt) } };
      });
      await this.#producer.scheduleMany(calls);
    }
  }

  async work({ concurrency, started, completed }: WorkOptions): Promise<void> {
    const tasks = [implement(job, started)];
    this.#worker = new Carillon({ backend: embedded(this.#folder), tasks, concurrency, logger: silentLogger });
    this.#worker.on('job:completed', completed);
    await this.#worker.start();
  }

  async footprint() {
    return { serverRamBytes: 0, diskBytes: folderSize(this.#folder) };
  }

  async close(): Promise<void> {
    await this.#worker?.stop();
    await this.#producer.stop();
  }
}

export const carillon: SystemEntry = {
  needs: 'nothing',
  open: async ({ folder }) => {
    const system = new CarillonSystem(folder);
    await system.open();
    return system;
  },
};
