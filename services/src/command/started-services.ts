// StartedServices: what the command started and has not stopped, kept in a folder that outlives it.
//
// V1  Only what this file remembers is ever ended, and only while it is the very process that was started.
// V2  A service that is remembered began with an empty folder; its logs stay there until it is started again.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { letGo } from '../server-process.js';
import type { StartOptions } from '../server-process.js';
import { catalog } from './catalog.js';
import type { Environment, ServiceName, WantedPort } from './catalog.js';
import { identityOf, isRunning } from './process-identity.js';
import type { ProcessIdentity } from './process-identity.js';

/** The folder of this repository's services: state, files, logs. */
const SERVICES_FOLDER = join(import.meta.dirname, '..', '..', '..', '.services');

/** A service that was started. */
export interface StartedService {
  readonly environment: Environment;
  readonly processes: readonly ProcessIdentity[];
  /** Where its files and logs are. */
  readonly folder: string;
}

/** How a service is doing; `unwell`: it was started, and does not answer. */
export type Condition = 'running' | 'unwell' | 'stopped';

/** What a start found or did. */
export interface StartOutcome {
  readonly service: StartedService;
  readonly already: boolean;
}

/** The services of one folder. */
export class StartedServices {
  readonly #folder: string;

  constructor(folder: string = SERVICES_FOLDER) {
    this.#folder = folder;
  }

  /** What is remembered of a service, if all its processes still run. */
  find(name: ServiceName): StartedService | undefined {
    const service = this.#remembered(name);
    return service?.processes.every(isRunning) ? service : undefined;
  }

  /** How a service is doing; asks it. */
  async condition(name: ServiceName): Promise<Condition> {
    const service = this.#remembered(name);
    if (!service?.processes.some(isRunning)) return 'stopped';
    const answers = await catalog[name].check(service.environment).then(
      () => true,
      () => false,
    );
    return answers && service.processes.every(isRunning) ? 'running' : 'unwell';
  }

  /** Starts a service, unless it runs already; what is unwell is stopped before. */
  async start(name: ServiceName, port: WantedPort, options: StartOptions = {}): Promise<StartOutcome> {
    if ((await this.condition(name)) === 'running') return { service: this.#remembered(name)!, already: true };
    await this.stop(name);
    options.progress?.('starting');
    const folder = join(this.#folder, name);
    rmSync(folder, { recursive: true, force: true }); // V2
    mkdirSync(folder, { recursive: true });
    const { environment, servers } = await catalog[name].start(port, { ...options, folder, outlives: true });
    const service = { environment, processes: servers.map(({ pid }) => identityOf(pid)!), folder };
    this.#remember(name, service);
    letGo();
    return { service, already: false };
  }

  /** Ends a service that was started here (V1); answers whether there was anything to end. */
  async stop(name: ServiceName): Promise<boolean> {
    const running = this.#remembered(name)?.processes.filter(isRunning) ?? [];
    for (const { pid } of running) process.kill(pid, name === 'postgres' ? 'SIGQUIT' : 'SIGKILL'); // its data are not kept
    while (running.some(isRunning)) await sleep(20);
    rmSync(this.#file(name), { force: true });
    return running.length > 0;
  }

  #file(name: ServiceName): string {
    return join(this.#folder, `${name}.json`);
  }

  #remembered(name: ServiceName): StartedService | undefined {
    try {
      return JSON.parse(readFileSync(this.#file(name), 'utf8')) as StartedService;
    } catch {
      return undefined;
    }
  }

  #remember(name: ServiceName, service: StartedService): void {
    const file = this.#file(name);
    writeFileSync(`${file}.new`, `${JSON.stringify(service, undefined, 2)}\n`);
    renameSync(`${file}.new`, file);
  }
}
