// Bare timers of this process: nothing is stored, so nothing can be more punctual.

import type { Payload, System, SystemEntry, WorkOptions } from './system.js';

class Timers implements System {
  #options: WorkOptions | undefined;

  async schedule(payload: Payload): Promise<void> {
    const start = (): void => {
      if (Date.now() < payload.dueAt) return void setTimeout(start, 1); // a timer may fire within the millisecond before
      this.#options?.started(payload);
      this.#options?.completed();
    };
    setTimeout(start, payload.dueAt - Date.now());
  }

  async scheduleMany(payloads: readonly Payload[]): Promise<void> {
    for (const payload of payloads) await this.schedule(payload);
  }

  async work(options: WorkOptions): Promise<void> {
    this.#options = options;
  }

  async footprint() {
    return { serverRamBytes: 0, diskBytes: 0 };
  }

  async close(): Promise<void> {}
}

export const timers: SystemEntry = { needs: 'nothing', open: async () => new Timers() };
