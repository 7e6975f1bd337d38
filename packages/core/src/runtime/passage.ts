// Passage: one acquired delivery on its way to its end, and the slot that it holds meanwhile.
//
// P1  It ends once, whoever says so, and gives its slot back by then.

import type { Grant } from '../ports/ledger.js';
import type { Delivery } from '../ports/transport.js';
import type { Step } from '../task/kind.js';
import type { Deliveries } from './delivery.js';
import type { Way } from './hold.js';

/** Told of the end of a delivery's way, and of what went wrong if something did. */
export type End = (delivery: Delivery, error?: unknown) => void;

/** One delivery on its way. */
export class Passage implements Way {
  readonly delivery: Delivery;
  readonly grant: Grant;
  readonly #deliveries: Deliveries;
  #end: End | undefined;
  #holdsSlot = false;

  constructor(deliveries: Deliveries, delivery: Delivery, grant: Grant, end: End) {
    this.#deliveries = deliveries;
    this.delivery = delivery;
    this.grant = grant;
    this.#end = end;
  }

  /** It has been given a slot. */
  takeSlot(): void {
    this.#holdsSlot = true;
  }

  handlerEnded(): void {
    if (!this.#holdsSlot) return;
    this.#holdsSlot = false;
    this.#deliveries.giveSlot(this.delivery.queue, this.grant.record.task);
  }

  recorded(step: Step | undefined): void {
    this.follow(this.#deliveries.finish(this.delivery, this.grant.record.key, step));
  }

  failed(error: unknown): void {
    this.over(error);
  }

  /** Ends when the rest of the way does; at once if there is none. */
  follow(rest: Promise<void> | undefined): void {
    if (rest === undefined) return this.over();
    rest.then(
      () => this.over(),
      (error: unknown) => this.over(error),
    );
  }

  /** The end of the way (P1). */
  over(error?: unknown): void {
    this.handlerEnded();
    const end = this.#end;
    this.#end = undefined;
    end?.(this.delivery, error);
  }
}
