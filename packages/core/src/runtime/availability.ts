// Availability: whether the backend answers. While it does not, the engine takes nothing and repeats what it owes.
//
// H1  Ledger or transport out of reach ⇒ stop taking deliveries: no nack loop, no burnt attempts (I11).
// H2  What was asked is asked again with the same nonce until it is answered, or until the engine gives up at its stop.
// H3  An outage is told once, at its beginning and at its end. A backend that answers the probe and fails at work soon after is
//     still in the same outage: only one that has been back for a while counts as back.
// H4  A record that can't be read is no outage: who asked for it is told, and nobody else waits. One that keeps a queue from
//     being received from is an outage to that loop, which would else ask without a pause.

import { CarillonError } from '../errors.js';
import type { Clock, Random, Timer } from '../time/clock.js';
import type { Logger } from '../task/logger.js';
import type { Events } from './events.js';

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;
const BACK_MS = 10_000; // longer than a call that gets no answer

/** What it needs to know and tell. */
export interface AvailabilityParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: Events;
  /** Answers when the backend does, and rejects while it does not. */
  readonly probe: () => Promise<unknown>;
}

/** The backend's state as this engine sees it. */
export class Availability {
  readonly #parts: AvailabilityParts;
  #waitMs = FIRST_WAIT_MS;
  #down: { up: Promise<void> } | undefined;
  #outage: { readonly since: number; ending?: Timer } | undefined; // until its end is told
  #abandoned = false;

  constructor(parts: AvailabilityParts) {
    this.#parts = parts;
  }

  get isDown(): boolean {
    return this.#down !== undefined;
  }

  /** Resolves at once while the backend answers, else when it does again (or when the engine gives up). */
  async whenUp(): Promise<void> {
    await this.#down?.up;
  }

  /** Reports that a call failed: because the backend is out of reach, or of a record that can't be read (H4). */
  report(reason: unknown): void {
    if (!isUnreadable(reason)) this.interrupt(reason);
    else if (!this.isDown && !this.#abandoned) this.#parts.log.error({ err: reason }, 'a record can’t be read');
  }

  /** Reports that no work can be received, whatever the reason: nothing is taken until the backend has been asked again. */
  interrupt(reason: unknown): void {
    if (this.isDown || this.#abandoned) return;
    const { clock, log, events } = this.#parts;
    const begins = this.#outage === undefined; // else it answers the probe and fails at work: H3
    this.#outage?.ending?.cancel();
    this.#outage = { since: this.#outage?.since ?? clock.monotonic() };
    if (begins) {
      this.#waitMs = FIRST_WAIT_MS;
      log.error({ err: reason }, 'the backend does not answer; no new work is taken until it does');
    }
    this.#down = { up: this.#probeUntilUp() };
    if (begins) events.emit('backend:down', { reason });
  }

  /** Repeats `call` until it answers (H2); `undefined` once the engine has given up. Rejects if a record can't be read (H4). */
  async persist<T>(call: () => Promise<T>): Promise<T | undefined> {
    while (!this.#abandoned) {
      try {
        return await call();
      } catch (error) {
        if (isUnreadable(error)) throw error;
        this.report(error);
        await this.whenUp();
      }
    }
    return undefined;
  }

  /** Ends every wait and every repetition: the engine's stop could not wait any longer. */
  abandon(): void {
    this.#abandoned = true;
    this.#outage?.ending?.cancel();
  }

  async #probeUntilUp(): Promise<void> {
    const { clock, random, log, probe } = this.#parts;
    for (;;) {
      const waitMs = this.#waitMs * (0.5 + random.next() / 2);
      this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS);
      await new Promise<void>((resolve) => void clock.after(waitMs, resolve));
      if (this.#abandoned) return;
      try {
        await probe();
        break;
      } catch (error) {
        log.debug({ err: error }, 'the backend still does not answer');
      }
    }
    this.#down = undefined;
    const { since } = this.#outage ?? { since: clock.monotonic() };
    const downMs = clock.monotonic() - since;
    this.#outage = { since, ending: clock.after(BACK_MS, () => this.#tellUp(downMs)) };
  }

  #tellUp(downMs: number): void {
    this.#outage = undefined;
    this.#parts.log.info({ downMs }, 'the backend answers again');
    this.#parts.events.emit('backend:up', { downMs });
  }
}

function isUnreadable(error: unknown): boolean {
  return CarillonError.is(error) && error.code === 'E_STORE_VERSION';
}
