// Landing: holds deliveries that are due in a moment and lets them go at their exact millisecond, by the ledger's clock.
//
// G1  Held deliveries keep their lease but take no slot; there is a cap. Beyond it, what comes early waits in the slot that it
//     was taken for, so the rest stays with the broker; what waits for its turn is given back.
// G2  Nothing is let go before its time: a timer may fire early, so the clock is looked at again.

import type { Delivery } from '../ports/transport.js';
import type { Clock } from '../time/clock.js';
import type { Instant } from '../time/instant.js';
import type { Heartbeat, Held } from './heartbeat.js';
import type { LedgerTime } from './ledger-time.js';

/** How far ahead a delivery may be due to be held, in milliseconds. */
export const LANDING_MS = 2_000;

/** How often a delivery that waits for its turn looks whether it is still held, in milliseconds. */
const LOOK_MS = 5_000;

/** Waits for a turn: calls `start` when it has come; the answer gives up the turn, or what it brought. */
export type Turn = (start: () => void) => () => void;

/** The deliveries that one engine holds until they are due. */
export class Landing {
  readonly #clock: Clock;
  readonly #time: LedgerTime;
  readonly #heartbeat: Heartbeat;
  readonly #capacity: number;
  #held = 0;
  #closed = false;
  readonly #waits = new Set<() => void>();

  constructor(parts: { clock: Clock; time: LedgerTime; heartbeat: Heartbeat; capacity: number }) {
    this.#clock = parts.clock;
    this.#time = parts.time;
    this.#heartbeat = parts.heartbeat;
    this.#capacity = parts.capacity;
  }

  /** Whether the engine is stopping. */
  get closed(): boolean {
    return this.#closed;
  }

  /** How many more deliveries it can hold. */
  get room(): number {
    return this.#closed ? 0 : Math.max(0, this.#capacity - this.#held);
  }

  /** Holds a delivery until `dueAt`; false if it must be given back instead (lease lost, engine stopping). */
  async hold(delivery: Delivery, dueAt: Instant): Promise<boolean> {
    if (this.#closed) return false;
    return this.#keep({ delivery }, async (stillHeld) => {
      while (stillHeld() && this.#time.until(dueAt) > 0) await this.#sleep(this.#time.until(dueAt)); // G2
    });
  }

  /** Holds a delivery that is due, and its lease, until its turn has come; false as in `hold`, and if there is no
   *  room. */
  async queue(delivery: Delivery, lease: Required<Held>['lease'], turn: Turn): Promise<boolean> {
    if (this.room === 0) return false; // G1
    const wait = { started: false, wake: (): void => {} };
    const leave = turn(() => {
      wait.started = true;
      wait.wake();
    });
    const kept = await this.#keep({ delivery, lease }, async (stillHeld) => {
      while (stillHeld() && !wait.started) await this.#sleep(LOOK_MS, (end) => (wait.wake = end));
    });
    const started = kept && wait.started;
    if (!started) leave();
    return started;
  }

  /** Ends every hold; what was held is given back. */
  close(): void {
    this.#closed = true;
    for (const end of this.#waits) end();
  }

  async #keep(
    what: Pick<Held, 'delivery' | 'lease'>,
    wait: (stillHeld: () => boolean) => Promise<void>,
  ): Promise<boolean> {
    let lost = false;
    const held: Held = { ...what, onLost: () => (lost = true) };
    const stillHeld = (): boolean => !lost && !this.#closed;
    this.#held += 1;
    const beat = this.#heartbeat.add(held);
    try {
      await wait(stillHeld);
    } finally {
      this.#heartbeat.remove(beat);
      this.#held -= 1;
    }
    return stillHeld();
  }

  #sleep(ms: number, waking: (end: () => void) => void = () => {}): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#waits.delete(end);
        timer.cancel();
        resolve();
      };
      const timer = this.#clock.after(ms, end);
      this.#waits.add(end);
      waking(end);
    });
  }
}
