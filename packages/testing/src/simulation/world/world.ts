// World: the time in which everything simulated happens, one event after the other.
//
// W1  Events run in the order of their instants; events of one instant in an order that only the seed decides.
// W2  Between two events every promise that can go on has gone on, so real asynchronous code runs as it would alone.
// W3  Nothing here or in what it runs reads a real clock, so a seed replays exactly.

import type { Instant, Random } from '@carillon/core/spi';

/** An event that has been planned; cancelling it again is harmless. */
export interface Planned {
  cancel(): void;
}

class Event implements Planned {
  constructor(
    readonly at: Instant,
    /** Decides between events of one instant (W1). */
    readonly tie: number,
    readonly order: number,
    public run: (() => void) | undefined,
  ) {}

  cancel(): void {
    this.run = undefined;
  }
}

const EVENTS_PER_TURN = 1000; // then the process may do something else: show progress, hear a signal

/** Calls back in a microtask; costs half of what `queueMicrotask` does. */
const READY = Promise.resolve();

/** Simulated time. */
export class World {
  readonly #random: Random;
  readonly #heap: Event[] = [];
  #soon: (() => void)[] = [];
  #nextSoon = 0;
  #now: Instant;
  #planned = 0;
  #events = 0;
  #stopped: { readonly error: unknown } | undefined;

  /** `random` orders the events of one instant. */
  constructor(start: Instant, random: Random) {
    this.#now = start;
    this.#random = random;
  }

  get now(): Instant {
    return this.#now;
  }

  /** How many events have run. */
  get events(): number {
    return this.#events;
  }

  /** Plans an event at an instant, or now if that is past. */
  at(instant: Instant, run: () => void): Planned {
    const event = new Event(Math.max(instant, this.#now), this.#random.next(), this.#planned, run);
    this.#planned += 1;
    this.#push(event);
    return event;
  }

  /** Plans an event `delayMs` from now. */
  after(delayMs: number, run: () => void): Planned {
    return this.at(this.#now + Math.max(0, delayMs), run);
  }

  /** Runs something at this very instant, when everything that is ready now has run. */
  soon(run: () => void): void {
    this.#soon.push(run);
  }

  /** Ends the run: the call of `runUntil` in progress rejects with this error. */
  stop(error: unknown): void {
    this.#stopped ??= { error };
  }

  /** Lives until an instant: rejects with what `stop` was called with, or with what an event throws. */
  runUntil(end: Instant): Promise<void> {
    return new Promise((resolve, reject) => {
      let turn = EVENTS_PER_TURN;
      const step = (): void => {
        try {
          if (this.#stopped !== undefined) return reject(this.#stopped.error);
          const next = this.#next(end);
          if (next === undefined) {
            this.#now = Math.max(this.#now, end);
            return resolve();
          }
          this.#events += 1;
          next();
        } catch (error) {
          return reject(error);
        }
        turn -= 1;
        if (turn > 0) void READY.then(drained);
        else {
          turn = EVENTS_PER_TURN;
          setImmediate(step);
        }
      };
      // A tick that is asked for in a microtask comes when all microtasks have run (W2), and costs no turn of the event loop.
      const drained = (): void => process.nextTick(step);
      void READY.then(drained); // what the caller has just begun goes on first (W2)
    });
  }

  #next(end: Instant): (() => void) | undefined {
    if (this.#nextSoon < this.#soon.length) return this.#soon[this.#nextSoon++];
    if (this.#nextSoon > 0) {
      this.#soon = [];
      this.#nextSoon = 0;
    }
    for (let event = this.#heap[0]; event !== undefined; event = this.#heap[0]) {
      if (event.run !== undefined && event.at > end) return undefined;
      this.#pop();
      if (event.run === undefined) continue; // cancelled
      this.#now = event.at;
      const { run } = event;
      event.run = undefined;
      return run;
    }
    return undefined;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && (a.tie < b.tie || (a.tie === b.tie && a.order < b.order)));
}
