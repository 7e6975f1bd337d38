// Fleet: engines in one process, each with a connection to Redis of its own, on messages in memory, and what they did.

import { setImmediate } from 'node:timers/promises';
import { Carillon, CarillonError, defineTask, implement, silentLogger } from '@carillon/core';
import type { Transport } from '@carillon/core/spi';
import { redis, type RedisLedgerOptions } from '@carillon/redis-dedupe';
import { memory } from '@carillon/testing';

/** What its engines run; as in the crash tests, the policies differ in what they do with an interrupted job. */
export const tasks = {
  retry: defineTask<null>('retried', { interruptions: 1000 }),
  'never-again': defineTask<null>('never-again', { attempts: 'never-again' }),
} as const;

/** How a fleet is made. */
export interface FleetOptions {
  readonly workers: number;
  readonly ledger: RedisLedgerOptions;
  /** How often the transport stores each message. Default: once. */
  readonly copies?: number;
  /** What a handler does between its start and its end. */
  readonly work?: (id: string, fencingToken: number) => Promise<void> | void;
}

/** Some engines, and who schedules for them. */
export class Fleet implements AsyncDisposable {
  readonly carillon: Carillon;
  /** The fencing tokens of each job's starts, oldest first. */
  readonly starts = new Map<string, number[]>();
  /** How often each job's completion was recorded. */
  readonly completions = new Map<string, number>();
  /** The jobs whose worker was told that its lease is lost. */
  readonly lost = new Set<string>();
  /** The jobs of which an engine was told that the ledger has lost what it had recorded. */
  readonly forgotten = new Set<string>();
  deliveries = 0;
  readonly #engines: readonly Carillon[];
  #heard = (): void => {};

  constructor({ workers, ledger, copies = 1, work = () => {} }: FleetOptions) {
    const messages = memory();
    const backend = () => ({
      transport: this.#transport(messages.another().transport, copies),
      ledger: redis({ onFinding: () => {}, ...ledger }),
    });
    this.carillon = new Carillon({ backend: backend(), logger: silentLogger });
    const handle = async (_: null, attempt: { jobId: string; fencingToken: number }): Promise<void> => {
      const tokens = this.starts.get(attempt.jobId) ?? [];
      this.starts.set(attempt.jobId, [...tokens, attempt.fencingToken]);
      await work(attempt.jobId, attempt.fencingToken);
    };
    const runs = [implement(tasks.retry, handle), implement(tasks['never-again'], handle)];
    this.#engines = Array.from({ length: workers }, (_, index) => {
      const name = `worker-${index + 1}`;
      const engine = new Carillon({ backend: backend(), tasks: runs, name, lease: '10s', logger: silentLogger });
      engine.on('job:completed', ({ id }) => {
        this.completions.set(id, (this.completions.get(id) ?? 0) + 1);
        this.#heard();
      });
      engine.on('lease:lost', ({ id }) => this.lost.add(id));
      engine.on('ledger:loss', ({ id }) => this.forgotten.add(id));
      return engine;
    });
  }

  /** Starts the engines. */
  async start(): Promise<void> {
    await Promise.all(this.#engines.map((engine) => engine.start()));
  }

  /** Resolves when the completions of so many jobs have been recorded. */
  completed(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#heard = () => this.completions.size >= count && resolve();
      this.#heard();
    });
  }

  /** How many jobs were started more than once, or recorded as completed more than once. */
  get doubles(): readonly string[] {
    const often = [...this.starts].filter(([, tokens]) => tokens.length > 1).map(([id]) => id);
    return [...often, ...[...this.completions].filter(([, count]) => count > 1).map(([id]) => id)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.carillon, ...this.#engines].map((engine) => engine.stop({ within: '5s' })));
  }

  #transport(transport: Transport, copies: number): Transport {
    return {
      limits: transport.limits,
      open: () => transport.open(),
      close: () => transport.close(),
      receive: async (request) => {
        const deliveries = await transport.receive(request);
        this.deliveries += deliveries.length;
        return deliveries;
      },
      send: async (messages) => {
        for (let copy = 1; copy < copies; copy += 1) await transport.send(messages);
        return transport.send(messages);
      },
    };
  }
}

/** Repeats a call while the backend is out of reach, as a producer does. */
export async function persistently<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (CarillonError.is(error) && error.code !== 'E_UNCLEAR') throw error;
      await setImmediate(); // a connection that is closed says so without a turn of the event loop
    }
  }
}
