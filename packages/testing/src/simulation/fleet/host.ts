// Host: one machine of a run, on which one process follows another: it crashes, stands still, is stopped and started again, in
// one version of the program or the other.

import { Carillon, type EventMap, silentLogger, type TaskDefinition } from '@carillon/core';
import { seededIds } from '../../seeded-ids.js';
import type { HostChange, Observation, Slots, Tell } from '../observation.js';
import { type Chance, streamOf } from '../plan/faults.js';
import type { Plan } from '../plan/plan.js';
import { Incarnation } from '../world/host.js';
import type { Servers } from '../world/servers.js';
import type { World } from '../world/world.js';
import { observedTasks } from './observed-tasks.js';
import type { Place, Running } from './running.js';
import { type Jobs, Shop } from './shop.js';

/** What a program can use of the machine that it runs on. */
export interface Machine {
  readonly host: string;
  /** 1 for the old version of the program, 2 for the new one. */
  readonly version: number;
  /** Waits, in simulated time. */
  readonly sleep: (ms: number) => Promise<void>;
  /** For handlers that schedule and change jobs: as the Carillon of their process does it, and seen by the monitors. */
  readonly jobs: Jobs;
}

/** The tasks that a process runs, given its machine. */
export type Program = (machine: Machine) => readonly TaskDefinition[];

/** What a fleet is made of. */
export interface FleetParts {
  readonly plan: Plan;
  readonly world: World;
  readonly chance: Chance;
  readonly servers: Servers;
  readonly tell: Tell;
  readonly program: Program;
  /** How many calls the run has made. */
  readonly calls: { made: number };
}

const LONGEST_BOOT_MS = 60_000;
const LONGEST_PAUSE_MS = 180_000;
const MOST_DRIFT = 1e-4;
const MOST_HANDLERS = 100;
const TOLD: readonly (keyof EventMap)[] = [
  'job:dead',
  'job:indeterminate',
  'job:cancelled',
  'job:skipped',
  'job:interrupted',
  'job:given-back',
  'job:hopped',
  'job:overran',
  'lease:lost',
  'ledger:loss',
  'delivery:malformed',
  'sweep:done',
  'backend:down',
  'backend:up',
];

/** One machine. */
export class Host implements Place {
  readonly name: string;
  readonly #parts: FleetParts;
  readonly #program: Program;
  readonly #waiting: ((running: Running) => void)[] = [];
  #boots = 0;
  #running: Running | undefined;

  constructor(name: string, parts: FleetParts, program: Program) {
    this.name = name;
    this.#parts = parts;
    this.#program = program;
  }

  /** What runs now; undefined while nothing does. */
  get running(): Running | undefined {
    return this.#running;
  }

  /** Resolves with what runs as soon as something does. */
  up(): Promise<Running> {
    return this.#running === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(this.#running);
  }

  /** Starts a process, which is started anew whenever it ends. */
  boot(): void {
    const { plan, world, chance, servers, tell } = this.#parts;
    this.#boots += 1;
    const old = chance.hits('versions');
    const process = new Incarnation(world, this.name, { version: old ? 1 : 2, skew: this.#skew() });
    const name = `${this.name}.${this.#boots}`;
    const machine: Machine = {
      host: this.name,
      version: process.version,
      sleep: (ms) => new Promise((resolve) => void process.clock.after(ms, resolve)),
      jobs: new Shop({
        host: { name: this.name, up: async () => running },
        world,
        random: streamOf(plan.seed, `${name} jobs`),
        tell: (happened) => void (process.alive && tell(happened)),
        endsAt: Infinity,
        calls: this.#parts.calls,
        once: true,
      }),
    };
    const tasks = this.#program(machine);
    const carillon = new Carillon({
      name,
      backend: servers.backend(process),
      tasks: observedTasks(tasks, process, tell),
      queues: [...new Set(tasks.map(({ task }) => task.options.queue ?? 'default'))],
      concurrency: MOST_HANDLERS,
      logger: silentLogger,
      clock: process.clock,
      random: streamOf(plan.seed, name),
      ids: seededIds(`${name}-`),
    });
    for (const event of TOLD) {
      carillon.on(event, (data) => {
        if (process.alive) tell({ what: 'event', host: this.name, event, data });
      });
    }
    const running: Running = { process, carillon, stopped: false };
    process.onCrash(() => this.#died(running, name));
    const limits = tasks.map(({ task }) => [task.name, task.options.concurrency ?? Infinity] as const);
    const retries = tasks.map(({ task }) => [task.name, task.options.retry] as const);
    const slots: Slots = { all: MOST_HANDLERS, tasks: new Map(limits) };
    this.#say('started', process, { slots, retries: new Map(retries) });
    carillon.start().then(
      () => {
        if (!process.alive) return;
        this.#running = running;
        for (const resolve of this.#waiting.splice(0)) resolve(running);
      },
      () => process.crash(), // a program that can't start ends, and is started again
    );
  }

  /** Makes the process stand still for a while. */
  pause(): void {
    const { chance, world } = this.#parts;
    const process = this.#running?.process;
    if (process === undefined || process.paused) return;
    process.pause();
    this.#say('paused', process);
    world.after(chance.between('pause', 1_000, LONGEST_PAUSE_MS), () => this.#resume(process));
  }

  /** Stops the process in good order; another is started after it. */
  restart(): void {
    const running = this.#running;
    if (running === undefined || running.process.paused) return;
    this.#running = undefined;
    this.#say('stopping', running.process);
    const end = (): void => {
      if (!running.process.alive) return; // it crashed on the way
      running.stopped = true;
      running.process.crash(); // a program that has stopped exits
    };
    running.carillon.stop({ within: '30s' }).then(end, end);
  }

  /** Makes sure that the process goes on, on the new version of the program. */
  heal(): void {
    const process = this.#running?.process;
    if (process === undefined) return;
    this.#resume(process);
    if (process.version === 1) this.restart();
  }

  #resume(process: Incarnation): void {
    if (!process.alive || !process.paused) return;
    this.#say('resumed', process);
    process.resume();
  }

  #died(running: Running, name: string): void {
    const { servers, plan, world } = this.#parts;
    this.#say(running.stopped ? 'stopped' : 'crashed', running.process);
    if (this.#running === running) this.#running = undefined;
    if (plan.shape === 'fused') world.after(250, () => servers.ledger.endLeases(name)); // the store sees who has died
    this.#bootSoon(running.stopped ? 'restart' : 'crash');
  }

  #bootSoon(after: 'crash' | 'restart'): void {
    const { world, chance } = this.#parts;
    world.after(chance.between(after, 500, LONGEST_BOOT_MS), () => this.boot());
  }

  #skew(): { offsetMs: number; drift: number } {
    const { chance } = this.#parts;
    const mostMs = chance.rate('skew') * 1000;
    if (mostMs === 0) return { offsetMs: 0, drift: 0 };
    return {
      offsetMs: Math.round(chance.between('skew', -mostMs, mostMs)),
      drift: chance.between('skew', -MOST_DRIFT, MOST_DRIFT),
    };
  }

  #say(
    change: HostChange,
    process: Incarnation,
    more: Pick<Observation & { what: 'host' }, 'slots' | 'retries'> = {},
  ): void {
    const { tell } = this.#parts;
    tell({ what: 'host', host: this.name, change, version: process.version, ...more });
  }
}
