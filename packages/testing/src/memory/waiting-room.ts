// Waiting room: where long polls wait for a change of their queue, for a time, or for being told to end.

import type { Clock, Instant } from '@carillon/core/spi';

/** Lets callers wait per queue until something may have changed for them. */
export class WaitingRoom {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves at the next `wake` of the queue, at `until` if it is given, or when the signal aborts. */
  async wait(queue: string, until: Instant | undefined, signal: AbortSignal): Promise<void> {
    let waiting = this.#waiting.get(queue);
    if (waiting === undefined) this.#waiting.set(queue, (waiting = new Set()));
    const others = waiting;
    await new Promise<void>((resolve) => {
      const leave = (): void => {
        timer?.cancel();
        signal.removeEventListener('abort', leave);
        others.delete(leave);
        resolve();
      };
      const timer = until === undefined ? undefined : this.#clock.after(until - this.#clock.now(), leave);
      others.add(leave);
      signal.addEventListener('abort', leave);
    });
  }

  /** Wakes all who wait for this queue. */
  wake(queue: string): void {
    for (const leave of this.#waiting.get(queue) ?? []) leave();
  }

  /** Wakes everybody. */
  wakeAll(): void {
    for (const queue of this.#waiting.keys()) this.wake(queue);
  }
}
