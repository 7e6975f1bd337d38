// Slots: how many handlers may run at once: per engine, per queue and per task.
//
// Q1  What is asked for and what runs never exceed the limits together, so nothing is taken that cannot start.
// Q2  A saturated task leaves room for its queue, a saturated queue for the others: an ask that waits idle gives up its
//     share as soon as another queue is short of it.

import type { Clock } from '../time/clock.js';

/** The limits; `Infinity` where there is none. */
export interface SlotLimits {
  readonly engine: number;
  readonly queues: ReadonlyMap<string, number>;
  /** Only tasks with a limit of their own. */
  readonly tasks: ReadonlyMap<string, number>;
}

/** Leave to receive up to `size` deliveries of one queue. */
export interface Ask {
  readonly queue: string;
  readonly size: number;
  /** For limited tasks, how many of them could start. */
  readonly room: ReadonlyMap<string, number>;
  /** Aborts when the ask should be made anew: its share is needed elsewhere, or a saturated task has room again. */
  readonly signal: AbortSignal;
  /** Gives the share back; what has been received has taken slots of its own by then. */
  done(): void;
}

/** How long a queue waits before it takes the idle slot of another, in milliseconds. */
const TURN_MS = 100;

type OpenAsk = Ask & { readonly controller: AbortController };

/** The slots of one engine. */
export class Slots {
  readonly #limits: SlotLimits;
  readonly #clock: Clock;
  readonly #running = { engine: 0, queues: new Map<string, number>(), tasks: new Map<string, number>() };
  readonly #asks = new Set<OpenAsk>();
  readonly #controllers = new Map<string, AbortController>(); // by queue: one serves many asks, until it aborts
  readonly #lines = new Map<string, Set<{ readonly queue: string; readonly start: () => void }>>(); // by task
  readonly #coming = new Map<string, number>();
  readonly #short = new Map<string, () => void>(); // queues that wait for room, in the order of their turns
  #woken = false;
  #closed = false;

  constructor(limits: SlotLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** How many handlers are running. */
  get running(): number {
    return this.#running.engine;
  }

  /** Waits until the queue has room, and asks for all of it; `undefined` once the slots are closed. */
  async ask(queue: string): Promise<Ask | undefined> {
    await new Promise<void>((resolve) => this.#clock.soon(resolve)); // handlers that end in this moment give room for more
    for (let size = this.#free(queue); !this.#closed; size = this.#free(queue)) {
      if (size > 0) {
        this.#short.delete(queue);
        return this.#open(queue, size);
      }
      this.#reclaim(queue, 2); // Q2
      const turn = this.#clock.after(TURN_MS, () => this.#reclaim(queue, 1));
      await new Promise<void>((resolve) => this.#short.set(queue, resolve));
      turn.cancel();
    }
    return undefined;
  }

  /** Keeps room for a delivery that has come and has no slot yet; the answer gives the room up, once. */
  expect(queue: string): () => void {
    this.#coming.set(queue, (this.#coming.get(queue) ?? 0) + 1);
    let expected = true;
    return () => {
      if (!expected) return;
      expected = false;
      this.#coming.set(queue, (this.#coming.get(queue) ?? 1) - 1);
      this.#wake();
    };
  }

  /** Takes a slot for a delivery; false if its task (or the queue, or the engine) has none. */
  take(queue: string, task: string): boolean {
    const { engine, queues, tasks } = this.#running;
    const limit = this.#limits.tasks.get(task);
    const used = tasks.get(task) ?? 0;
    if (limit !== undefined && used >= limit) return false;
    if (engine >= this.#limits.engine || (queues.get(queue) ?? 0) >= (this.#limits.queues.get(queue) ?? Infinity))
      return false;
    this.#running.engine += 1;
    queues.set(queue, (queues.get(queue) ?? 0) + 1);
    if (limit !== undefined) tasks.set(task, used + 1);
    return true;
  }

  /** Calls `start` with a slot taken, as soon as there is one; the answer gives up the turn, or the slot it brought. */
  turn(queue: string, task: string, start: () => void): () => void {
    const line = this.#lines.get(task) ?? new Set();
    this.#lines.set(task, line);
    const turn = { queue, start };
    line.add(turn);
    return () => {
      if (!line.delete(turn)) this.give(queue, task);
    };
  }

  /** Gives a slot back. */
  give(queue: string, task: string): void {
    const { queues, tasks } = this.#running;
    this.#running.engine -= 1;
    queues.set(queue, (queues.get(queue) ?? 1) - 1);
    if (this.#limits.tasks.has(task)) {
      tasks.set(task, (tasks.get(task) ?? 1) - 1);
      for (const ask of this.#asks)
        if (ask.queue === queue && (ask.room.get(task) ?? 1) < ask.size) ask.controller.abort(); // Q2
    }
    this.#wake();
  }

  /** Has every ask made anew: what may be received has changed. */
  renew(): void {
    for (const ask of this.#asks) ask.controller.abort();
  }

  /** Ends every wait; no ask is granted any more. */
  close(): void {
    this.#closed = true;
    this.renew();
    this.#wake();
  }

  #free(queue: string): number {
    let asked = 0;
    let here = 0;
    for (const ask of this.#asks) {
      asked += ask.size;
      if (ask.queue === queue) here += ask.size;
    }
    const inQueue = this.#unused(queue) - (this.#coming.get(queue) ?? 0) - here;
    const inEngine = this.#idle - asked; // Q1
    return Math.min(inQueue, Math.ceil(inEngine / Math.max(1, this.#limits.queues.size - this.#asks.size)));
  }

  /** The engine's slots in which nothing runs and for which nothing has come. */
  get #idle(): number {
    let coming = 0;
    for (const count of this.#coming.values()) coming += count;
    return this.#limits.engine - this.#running.engine - coming;
  }

  #unused(queue: string): number {
    return (this.#limits.queues.get(queue) ?? Infinity) - (this.#running.queues.get(queue) ?? 0);
  }

  #open(queue: string, size: number): Ask {
    const room = new Map<string, number>();
    for (const [task, limit] of this.#limits.tasks)
      room.set(task, Math.max(0, limit - (this.#running.tasks.get(task) ?? 0)));
    const controller = this.#controller(queue);
    const done = (): void => {
      if (this.#asks.delete(ask)) this.#wake();
    };
    const ask: OpenAsk = { queue, size, room, signal: controller.signal, controller, done };
    this.#asks.add(ask);
    return ask;
  }

  #controller(queue: string): AbortController {
    let controller = this.#controllers.get(queue);
    if (controller === undefined || controller.signal.aborted) {
      this.#controllers.set(queue, (controller = new AbortController()));
    }
    return controller;
  }

  #reclaim(queue: string, least: number): void {
    if (this.#unused(queue) <= 0 || this.#idle <= 0) return;
    for (const ask of this.#asks) if (ask.queue !== queue && ask.size >= least) ask.controller.abort();
  }

  /** Starts those that wait for a slot, as far as there are slots; a full task holds up no other. */
  #serve(): void {
    for (const [task, line] of this.#lines) {
      for (const turn of line) {
        if (!this.take(turn.queue, task)) break;
        line.delete(turn);
        turn.start();
      }
      if (line.size === 0) this.#lines.delete(task);
    }
  }

  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    this.#clock.soon(() => {
      this.#woken = false;
      this.#serve();
      for (const resume of this.#short.values()) resume();
    });
  }
}
