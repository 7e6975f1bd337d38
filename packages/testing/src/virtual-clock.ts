// Virtual clock: time that passes only when a test says so.
//
// V1  Timers fire in the order of their instants, ties in the order in which they were set, each at its own instant.
// V2  Between two timers the program comes to rest: promises and `setImmediate` callbacks run until none of them
//     touches the clock any more. Work outside the event loop (files, sockets, threads) is not waited for.
// V3  A timer that is set while time advances fires in the same advance, if it falls inside it.

import type { Clock, Instant, Timer } from '@carillon/core/spi';
import { SortedSet } from './sorted-set.js';

const DEFAULT_START: Instant = Date.UTC(2026, 0, 1);
const QUIET_TURNS = 4; // macrotask turns without a call to the clock that count as rest
const MOST_TURNS = 1_000_000; // then the program is busy for ever, and the test should say so

interface PendingTimer {
  readonly at: Instant;
  readonly order: number;
  readonly wake: () => void;
}

/** A clock for tests: `advance` makes hours pass in milliseconds, as real code would live through them. */
export class VirtualClock implements Clock {
  readonly #start: Instant;
  readonly #timers = new SortedSet<PendingTimer>((a, b) => a.at - b.at || a.order - b.order); // V1
  #now: Instant;
  #set = 0;
  #touches = 0;
  #last: Promise<void> = Promise.resolve();

  /** Starts at `start`, in milliseconds since 1970; by default at 2026-01-01T00:00Z. */
  constructor(start: Instant = DEFAULT_START) {
    this.#start = start;
    this.#now = start;
  }

  now(): Instant {
    this.#touches += 1;
    return this.#now;
  }

  monotonic(): number {
    return this.now() - this.#start;
  }

  /** Instants are whole, so a delay is rounded up to the millisecond, as the system clock does. */
  after(delayMs: number, wake: () => void): Timer {
    this.#touches += 1;
    this.#set += 1;
    const timer: PendingTimer = { at: this.#now + Math.ceil(Math.max(0, delayMs)), order: this.#set, wake };
    this.#timers.add(timer);
    return {
      cancel: () => {
        this.#touches += 1;
        this.#timers.delete(timer);
      },
    };
  }

  soon(wake: () => void): void {
    this.#touches += 1;
    setImmediate(() => {
      this.#touches += 1;
      wake();
    });
  }

  /** How many timers are waiting. */
  get pending(): number {
    return this.#timers.size;
  }

  /** When the next timer fires; `undefined` if none is waiting. */
  get nextAt(): Instant | undefined {
    return this.#timers.first?.at;
  }

  /** Lets `ms` milliseconds pass. Resolves when all that was due in them has run and the program is at rest; rejects
   *  with what a timer's callback throws. Calls that overlap follow one another. */
  advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`Time only moves forward: cannot advance by ${ms} ms.`);
    const turn = this.#last.then(() => this.#pass(ms));
    this.#last = turn.catch(() => {}); // whoever called `advance` hears of it; the next call goes on
    return turn;
  }

  async #pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.#rest();
    for (let timer = this.#timers.first; timer !== undefined && timer.at <= end; timer = this.#timers.first) {
      this.#timers.delete(timer);
      this.#now = timer.at;
      timer.wake();
      await this.#rest(); // V2, V3
    }
    this.#now = end;
    await this.#rest();
  }

  async #rest(): Promise<void> {
    let quiet = 0;
    for (let turn = 0; quiet < QUIET_TURNS; turn += 1) {
      if (turn === MOST_TURNS)
        throw new Error(`The program did not come to rest at ${new Date(this.#now).toISOString()}.`);
      const touches = this.#touches;
      await new Promise<void>((resolve) => setImmediate(resolve));
      quiet = this.#touches === touches ? quiet + 1 : 0;
    }
  }
}
