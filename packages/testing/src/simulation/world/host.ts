// Host: one machine of a simulation, on which one process after the other runs. It can crash, stand still, and tell the time
// wrongly.
//
// H1  What a process waits for reaches it only through `deliver`: nothing does once it has crashed, everything at once when
//     it goes on after a pause. So a crash falls between any two steps of real asynchronous code.
// H2  A process sees the world's time through its host's clock: shifted by an offset, and a little too fast or too slow.

import type { Clock, Instant, Timer } from '@carillon/core/spi';
import type { World } from './world.js';

/** How wrong a host's clock is: `offsetMs` at the start, and `drift` seconds more per second. */
export interface Skew {
  readonly offsetMs: number;
  readonly drift: number;
}

/** How a process is run. */
export interface IncarnationOptions {
  readonly version?: number;
  readonly mortal?: boolean;
  readonly skew?: Skew;
}

const EXACT: Skew = { offsetMs: 0, drift: 0 };

/** One run of a process on a host. */
export class Incarnation {
  readonly host: string;
  /** Which version of the program it runs. */
  readonly version: number;
  /** Whether faults may end it. */
  readonly mortal: boolean;
  readonly clock: Clock;
  readonly #world: World;
  readonly #ended = new Set<() => void>();
  readonly #still = new Set<AbortController>();
  #alive = true;
  #waiting: (() => void)[] | undefined; // while it stands still

  constructor(world: World, host: string, { version = 1, mortal = true, skew = EXACT }: IncarnationOptions = {}) {
    this.#world = world;
    this.host = host;
    this.version = version;
    this.mortal = mortal;
    this.clock = this.#clockOf(skew);
  }

  get alive(): boolean {
    return this.#alive;
  }

  get paused(): boolean {
    return this.#waiting !== undefined;
  }

  /** Lets the process go on with something it waited for (H1). */
  deliver(wake: () => void): void {
    if (!this.#alive) return;
    if (this.#waiting === undefined) wake();
    else this.#waiting.push(wake);
  }

  /** Ends the process where it stands. */
  crash(): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#waiting = undefined;
    this.#standStill();
    const ended = [...this.#ended];
    this.#ended.clear();
    for (const end of ended) end();
  }

  /** Calls `end` when the process crashes; at once if it has. The answer gives that up. */
  onCrash(end: () => void): () => void {
    if (!this.#alive) end();
    else this.#ended.add(end);
    return () => void this.#ended.delete(end);
  }

  /** A signal that aborts with another one, and when the process crashes or stands still; `end` gives it up. */
  untilStill(signal?: AbortSignal): { readonly signal: AbortSignal; readonly end: () => void } {
    const controller = new AbortController();
    const abort = (): void => controller.abort(); // `AbortSignal.any` does the same, at several times the cost
    if (!this.#alive || this.paused || signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    this.#still.add(controller);
    const end = (): void => {
      signal?.removeEventListener('abort', abort);
      this.#still.delete(controller);
    };
    return { signal: controller.signal, end };
  }

  /** Makes the process stand still. */
  pause(): void {
    if (!this.#alive || this.paused) return;
    this.#waiting = [];
    this.#standStill();
  }

  /** Lets it go on: all that it missed happens now. */
  resume(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const wake of waiting ?? []) this.#world.soon(() => this.deliver(wake));
  }

  #standStill(): void {
    const still = [...this.#still];
    this.#still.clear();
    for (const controller of still) controller.abort();
  }

  #clockOf({ offsetMs, drift }: Skew): Clock {
    const world = this.#world;
    const start = world.now;
    const now = (): Instant => Math.floor(start + (world.now - start) * (1 + drift) + offsetMs);
    const timer =
      (wake: () => void): (() => void) =>
      () =>
        this.deliver(wake);
    return {
      now,
      monotonic: () => (world.now - start) * (1 + drift),
      after: (delayMs, wake): Timer => world.after(Math.ceil(Math.max(0, delayMs) / (1 + drift)), timer(wake)), // H2
      soon: (wake) => world.soon(timer(wake)),
    };
  }
}
