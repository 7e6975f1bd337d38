// Stage: what the engine's behaviour tests play on: a store in virtual time, and processes on it that can be killed.
//
// A process is a Carillon on a handle of its own, behind gates. A killed process hears no answer any more, and what it
// asks for is never done, so what it held is found as a crash would leave it.

import { Carillon, type CarillonOptions, type EventMap, silentLogger, type TaskDefinition } from '@carillon/core';
import type { Backend, Limits, ReceiveRequest } from '@carillon/core/spi';
import {
  gated,
  type GatedLedger,
  type GatedTransport,
  memory,
  type MemoryBackend,
  memoryStore,
  seededRandom,
  VirtualClock,
} from '@carillon/testing';
import { describe } from 'vitest';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const EVENTS: Record<keyof EventMap, true> = {
  'job:scheduled': true,
  'job:started': true,
  'job:completed': true,
  'job:failed': true,
  'job:snoozed': true,
  'job:dead': true,
  'job:indeterminate': true,
  'job:cancelled': true,
  'job:skipped': true,
  'job:rescheduled': true,
  'job:interrupted': true,
  'job:given-back': true,
  'job:hopped': true,
  'job:overran': true,
  'lease:lost': true,
  'ledger:loss': true,
  'delivery:malformed': true,
  'schedule:occurred': true,
  'schedule:missed': true,
  'schedule:paused': true,
  'schedule:ended': true,
  'schedule:dead': true,
  'sweep:done': true,
  'backend:down': true,
  'backend:up': true,
};

export type ProcessOptions = Partial<Omit<CarillonOptions, 'backend' | 'tasks'>>;

/** A Carillon as one process holds it. */
export interface Process {
  readonly carillon: Carillon;
  readonly ledger: GatedLedger;
  readonly transport: GatedTransport;
  /** What its listeners have been told of an event, oldest first. */
  readonly heard: <K extends keyof EventMap>(event: K) => EventMap[K][];
  /** Ends it as SIGKILL would; its handlers' code goes on, unheard. */
  readonly kill: () => void;
  /** From now on no delivery reaches it, as if it were cut off from its transport. */
  readonly deafen: () => void;
  /** Makes every call of a port fail, until the answer is called. */
  readonly breakOff: (port: 'ledger' | 'transport') => () => void;
}

/** A store in virtual time, and the processes on it. */
export interface Stage {
  readonly clock: VirtualClock;
  /** A handle on the store without gates. */
  readonly store: MemoryBackend;
  readonly fused: boolean;
  /** A process that has not been started. */
  readonly process: (tasks: readonly TaskDefinition[], options?: ProcessOptions) => Process;
  /** A process that has been started. */
  readonly start: (tasks: readonly TaskDefinition[], options?: ProcessOptions) => Promise<Process>;
}

/** Plays the tests on the memory transport and ledger (messages, outbox, sweep), and on the fused store. */
export function onBothBackends(title: string, tests: (stage: () => Stage) => void): void {
  describe.each([
    ['memory', () => messageStage()],
    ['fused store', fusedStage],
  ] as const)(`${title} (%s)`, (_, stage) => tests(stage));
}

/** A stage with a transport and a ledger of their own. */
export function messageStage(limits: Partial<Limits> = {}): Stage {
  const clock = new VirtualClock();
  return stageOn(clock, memory({ clock, limits }));
}

/** A stage whose store is transport and ledger in one. */
export function fusedStage(): Stage {
  const clock = new VirtualClock();
  return stageOn(clock, memoryStore({ clock }));
}

function stageOn(clock: VirtualClock, store: MemoryBackend): Stage {
  let processes = 0;
  const process = (tasks: readonly TaskDefinition[], options: ProcessOptions = {}): Process => {
    processes += 1;
    const life = new AbortController();
    const hearing = new AbortController();
    const broken = new Set<string>();
    const backend = gated(mortal(store.another(), life.signal, hearing.signal, broken));
    const told: { event: keyof EventMap; data: unknown }[] = [];
    const name = `worker-${processes}`;
    const random = seededRandom(processes);
    const carillon = new Carillon({ backend, tasks, name, clock, random, logger: silentLogger, ...options });
    for (const event of Object.keys(EVENTS) as (keyof EventMap)[]) {
      carillon.on(event, (data) => void told.push({ event, data }));
    }
    return {
      carillon,
      ledger: backend.ledger,
      transport: backend.transport,
      heard: <K extends keyof EventMap>(event: K) =>
        told.filter((one) => one.event === event).map((one) => one.data as EventMap[K]),
      kill: () => life.abort(),
      deafen: () => hearing.abort(),
      breakOff: (port) => {
        broken.add(port);
        return () => void broken.delete(port);
      },
    };
  };
  return {
    clock,
    store,
    fused: store.fused === true,
    process,
    async start(tasks, options) {
      const started = process(tasks, options);
      await started.carillon.start();
      return started;
    },
  };
}

/** A backend whose calls are never heard of again once its process is dead. */
function mortal(backend: Backend, death: AbortSignal, deafness: AbortSignal, broken: ReadonlySet<string>): Backend {
  const silence = new Promise<never>(() => {});
  const wrap = <T extends object>(port: T, is: 'ledger' | 'transport'): T =>
    new Proxy(port, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          if (death.aborted) return silence;
          if (broken.has(is)) throw new Error(`The ${is} is out of reach.`);
          if (name === 'receive' && deafness.aborted) return silence;
          const answer: unknown = await Reflect.apply(member, target, name === 'receive' ? [until(args[0])] : args);
          if (death.aborted) return silence;
          return name === 'receive' ? (answer as object[]).map((delivery) => wrap(delivery, 'transport')) : answer;
        };
      },
    });
  const until = (request: unknown): ReceiveRequest => {
    const { signal, ...rest } = request as ReceiveRequest;
    return { ...rest, signal: AbortSignal.any([signal, death, deafness]) };
  };
  return { ...backend, transport: wrap(backend.transport, 'transport'), ledger: wrap(backend.ledger, 'ledger') };
}

/** A promise that a test settles by hand. */
export interface Gate<T = void> {
  readonly opened: Promise<T>;
  readonly open: (value: T) => void;
}

/** Makes a promise that a test settles by hand, such as a handler's end. */
export function gate<T = void>(): Gate<T> {
  let open!: (value: T) => void;
  const opened = new Promise<T>((resolve) => (open = resolve));
  return { opened, open };
}

/** The code of the error that a call rejects with. */
export async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'resolved',
    (error: { code?: unknown }) => error.code,
  );
}
