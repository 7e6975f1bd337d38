// Intake: the receive loops, one per queue. It never takes more than can start (or be held until it is due).
//
// A1  A broker of coarse precision hands over a whole second's messages in one moment, in which jobs are due as well. So while
//     full batches come of which nothing is due soon, the next one is small and comes after a rest: they have time.

import type { Delivery, Transport } from '../ports/transport.js';
import type { Logger } from '../task/logger.js';
import type { Clock } from '../time/clock.js';
import type { Availability } from './availability.js';
import type { Deliveries } from './delivery.js';
import type { Landing } from './landing.js';
import type { Landed, Messages } from './message.js';
import type { Pauses } from './pauses.js';
import { GIVE_BACK_MS, giveBack } from './receipt.js';
import type { Ask, Slots } from './slots.js';

/** What the loops need. */
export interface IntakeParts {
  readonly transport: Transport;
  readonly clock: Clock;
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

const SOON_MS = 250;
const SMALL = 32; // what RocketMQ gives at once
const REST_MS = 20; // 500 messages within half a second

/** The receive loops of one engine. */
export class Intake {
  readonly #parts: IntakeParts;
  #underway = 0;
  #emptied: (() => void)[] = [];
  #loops: Promise<unknown> = Promise.resolve();
  readonly #rests = new Set<() => void>();
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
    for (const end of this.#rests) end();
    await this.#loops;
  }

  /** Resolves when every delivery taken so far has come to its end. */
  drained(): Promise<void> {
    return this.#underway === 0 ? Promise.resolve() : new Promise((resolve) => void this.#emptied.push(resolve));
  }

  async #serve(queue: string): Promise<void> {
    const { slots, pauses, availability } = this.#parts;
    let most = Infinity;
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
      let hasTime = false;
      try {
        hasTime = await this.#receive(ask, most, pauses.room(ask.room));
      } catch (error) {
        availability.interrupt(error);
      } finally {
        ask.done();
      }
      most = hasTime ? SMALL : Infinity; // A1
      if (hasTime && !this.#stopped) await this.#rest();
    }
  }

  /** Takes what comes, at most `most`; answers whether it was a full batch of which nothing is due soon. */
  async #receive({ queue, size, signal }: Ask, most: number, room: ReadonlyMap<string, number>): Promise<boolean> {
    const { transport, worker, leaseMs, landing, pauses, slots } = this.#parts;
    const early = transport.limits.precisionMs > 0 ? landing.room : 0;
    const max = Math.min(size + early, most);
    const deliveries = await transport.receive({ queue, max, leaseMs, holder: worker, room, signal });
    if (deliveries.length > 0) await pauses.fresh();
    let unhurried = 0;
    for (const delivery of deliveries) {
      this.#underway += 1;
      if (delivery.granted === undefined) {
        const expected = slots.expect(queue);
        void this.#handle(delivery, (aheadMs = 0) => {
          if (aheadMs > SOON_MS) unhurried += 1;
          expected();
        });
      } else this.#parts.deliveries.pass(delivery, delivery.granted, this.#over); // it takes its slot at once
    }
    return unhurried >= SMALL && unhurried === deliveries.length;
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        this.#rests.delete(end);
        timer.cancel();
        resolve();
      };
      const timer = this.#parts.clock.after(REST_MS, end);
      this.#rests.add(end); // a stop waits for none
    });
  }

  /** One message's whole way; never rejects, whatever the backend or the message does. */
  async #handle(delivery: Delivery, landed: Landed): Promise<void> {
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
