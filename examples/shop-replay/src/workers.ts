// Workers: the crew of worker processes: started, killed, and started again.
//
// W1  A worker that is started again has a new name, so that whatever it does can be told from what it did before.

import type { Acceptance, Kill, LostLease } from './evidence.js';
import type { GatewayNews, GatewayOrder } from './gateway-process.js';
import type { Process, Processes } from './processes.js';
import type { WorkerNews, WorkerSetting } from './worker-process.js';

/** What a kill met. */
export interface Crash {
  readonly workers: readonly string[];
  /** The request that the gateway had accepted and not answered; undefined if none came while it was waited for. */
  readonly unanswered: Acceptance | undefined;
}

/** The workers of a replay. */
export class Workers {
  readonly kills: Kill[] = [];
  readonly lostLeases: LostLease[] = [];
  readonly #processes: Processes;
  readonly #gateway: Process<GatewayNews>;
  readonly #setting: Omit<WorkerSetting, 'worker'>;
  readonly #running: Process<WorkerNews>[] = [];
  #restarts = 0;

  constructor(processes: Processes, gateway: Process<GatewayNews>, setting: Omit<WorkerSetting, 'worker'>) {
    this.#processes = processes;
    this.#gateway = gateway;
    this.#setting = setting;
  }

  /** How often a worker was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Starts `count` workers. */
  async start(count: number): Promise<void> {
    const started = Array.from({ length: count }, (_, index) => this.#start(`worker-${String(index + 1)}.1`));
    this.#running.push(...(await Promise.all(started)));
  }

  /**
   * Kills the first `count` workers while one of them waits for the answer to a request that the gateway has accepted,
   * or as soon as `tooLate` resolves; then starts them again.
   */
  async crash(count: number, tooLate: Promise<unknown>): Promise<Crash> {
    const victims = this.#running.slice(0, count);
    const workers = victims.map(({ name }) => name);
    const held = this.#gateway.news((news) => news.held !== undefined);
    this.#gateway.tell({ hold: workers } satisfies GatewayOrder);
    const met = await Promise.race([held, tooLate.then(() => undefined)]);

    await Promise.all(
      victims.map((victim) => {
        this.kills.push({ worker: victim.name, at: Date.now() });
        return victim.kill();
      }),
    );
    const again = await Promise.all(victims.map(({ name }) => this.#start(successor(name))));
    this.#running.splice(0, count, ...again);
    this.#restarts += count;
    return { workers, unanswered: met?.held };
  }

  /** Lets every worker finish what it has begun, and ends it. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.map((worker) => worker.stop()));
  }

  async #start(worker: string): Promise<Process<WorkerNews>> {
    const setting: WorkerSetting = { ...this.#setting, worker };
    const [process] = await this.#processes.start<WorkerNews>(worker, './worker-process.js', setting);
    process.onNews(({ lost }) => lost && this.lostLeases.push(lost));
    return process;
  }
}

/** `worker-1.2` comes after `worker-1.1` (W1). */
function successor(name: string): string {
  const [place, life] = name.split('.');
  return `${String(place)}.${String(Number(life) + 1)}`;
}
