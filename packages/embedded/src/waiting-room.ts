// Waiting room: where receives wait until something may have come up for them.
//
// W1  Whoever waits is woken when their time has come, when something earlier is filed in this process, when another
//     process has written (within POLL_MS), and when they or everybody are told to stop.
// W2  Timers exist only while somebody waits.

import type { Clock, Instant } from '@carillon/core/spi';

const POLL_MS = 20;

/** What the room watches while somebody waits. */
export interface Watch {
  /** A number that changes with every transaction of any process. */
  lastTransaction(): number;
  /** Called about every POLL_MS. */
  tick(): void;
}

interface Guest {
  readonly queue: number | undefined;
  until: Instant;
  readonly leave: () => void;
}

/** Receives that wait. */
export class WaitingRoom {
  readonly #watch: Watch;
  readonly #guests = new Set<Guest>();
  #seen = 0;
  #poll: NodeJS.Timeout | undefined;

  constructor(watch: Watch) {
    this.#watch = watch;
  }

  /** Resolves when the caller should look again. `seen` is the last transaction that it has seen. */
  wait(queue: number | undefined, until: Instant, seen: number, clock: Clock, signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = until === Infinity ? undefined : clock.after(until - clock.now(), () => guest.leave());
      const guest: Guest = {
        queue,
        until,
        leave: () => {
          timer?.cancel();
          signal.removeEventListener('abort', guest.leave);
          this.#guests.delete(guest);
          if (this.#guests.size === 0) this.#stopPolling();
          resolve();
        },
      };
      signal.addEventListener('abort', guest.leave);
      this.#seen = this.#guests.size === 0 ? seen : Math.min(this.#seen, seen);
      this.#guests.add(guest);
      this.#poll ??= setInterval(() => this.#look(), POLL_MS); // real time: other processes live in it
      if (signal.aborted) guest.leave();
    });
  }

  /** Something has been filed in a queue for a time: wakes those who wait for a later one. */
  notice(queue: number, at: Instant): void {
    for (const guest of this.#guests) {
      if (guest.queue === undefined || (guest.queue === queue && at < guest.until)) guest.leave();
    }
  }

  /** Wakes everybody. */
  wakeAll(): void {
    for (const guest of this.#guests) guest.leave();
  }

  #look(): void {
    this.#watch.tick();
    const last = this.#watch.lastTransaction();
    if (last === this.#seen) return;
    this.#seen = last;
    this.wakeAll();
  }

  #stopPolling(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }
}
