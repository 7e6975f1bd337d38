// Intake: the receive loops, one per queue. It never takes more than can start (or be held until it is due).

import type { Delivery, Transport } from '../ports/transport.js';
import type { Logger } from '../task/logger.js';
import type { Availability } from './availability.js';
import type { Deliveries } from './delivery.js';
import type { Landing } from './landing.js';
import type { Messages } from './message.js';
import type { Pauses } from './pauses.js';
import { GIVE_BACK_MS, giveBack } from './receipt.js';
import type { Slots } from './slots.js';

/** What the loops need. */
export interface IntakeParts {
  readonly transport: Transport;
  /** Queues as adapters see them. */
  readonly queues: readonly string[];
  readonly worker: string;
  readonly leaseMs: number;
  readonly slots: Slots;
  readonly landing: Landing;
  readonly pauses: Pauses;
  readonly availability: Availability;
  readonly log: Logger;
  readonly messages: Messages;
  readonly deliveries: Deliveries;
}

/** The receive loops of one engine. */
export class Intake {
  readonly #parts: IntakeParts;
  #underway = 0;
  #emptied: (() => void)[] = [];
  #loops: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** Deliveries that are on their way from arrival to ack. */
  get underway(): number {
    return this.#underway;
  }

  /** Starts the loops. */
  start(): void {
    this.#loops = Promise.all(this.#parts.queues.map((queue) => this.#serve(queue)));
  }

  /** Takes nothing new from now on; resolves when the loops have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loops;
  }

  /** Resolves when every delivery taken so far has come to its end. */
  drained(): Promise<void> {
    return this.#underway === 0 ? Promise.resolve() : new Promise((resolve) => void this.#emptied.push(resolve));
  }

  async #serve(queue: string): Promise<void> {
    const { slots, pauses, availability } = this.#parts;
    while (!this.#stopped) {
      await availability.whenUp();
      if (pauses.queue(queue)) {
        await pauses.changed();
        continue;
      }
      const ask = await slots.ask(queue);
      if (ask === undefined) return;
      if (this.#stopped || pauses.queue(queue)) {
        ask.done();
        continue;
      }
      try {
        await this.#receive(queue, ask.size, pauses.room(ask.room), ask.signal);
      } catch (error) {
        availability.interrupt(error);
      } finally {
        ask.done();
      }
    }
  }

  async #receive(queue: string, size: number, room: ReadonlyMap<string, number>, signal: AbortSignal): Promise<void> {
    const { transport, worker, leaseMs, landing, pauses, slots } = this.#parts;
    const early = transport.limits.precisionMs > 0 ? landing.room : 0;
    const deliveries = await transport.receive({ queue, max: size + early, leaseMs, holder: worker, room, signal });
    if (deliveries.length > 0) await pauses.fresh();
    for (const delivery of deliveries) {
      this.#underway += 1;
      if (delivery.granted === undefined) void this.#handle(delivery, slots.expect(queue));
      else this.#parts.deliveries.pass(delivery, delivery.granted, this.#over); // it takes its slot at once
    }
  }

  /** One message's whole way; never rejects, whatever the backend or the message does. */
  async #handle(delivery: Delivery, landed: () => void): Promise<void> {
    try {
      await this.#parts.messages.handle(delivery, landed);
    } catch (error) {
      await this.#giveBack(delivery, error);
    } finally {
      landed();
      this.#ended();
    }
  }

  readonly #over = (delivery: Delivery, error?: unknown): void => {
    if (error === undefined) this.#ended();
    else void this.#giveBack(delivery, error).finally(() => this.#ended());
  };

  async #giveBack(delivery: Delivery, error: unknown): Promise<void> {
    const { availability, log } = this.#parts;
    log.error({ err: error }, 'a delivery could not be handled; it will come again');
    await giveBack(delivery, GIVE_BACK_MS, availability);
  }

  #ended(): void {
    this.#underway -= 1;
    if (this.#underway === 0) for (const resolve of this.#emptied.splice(0)) resolve();
  }
}
