// Orders: the shop's own bookkeeping; a map where a real one has a database.

import { injectable } from 'inversify';

/** What has become of an order. */
export type OrderState = 'unpaid' | 'paid' | 'closed';

/** The orders of a shop, and the notes that it sent about them. */
@injectable()
export class Orders {
  readonly notes: string[] = [];
  readonly #states = new Map<string, OrderState>();

  place(orderId: string): void {
    this.#states.set(orderId, 'unpaid');
  }

  /** Answers false if the order has been closed: too late to pay. */
  pay(orderId: string): boolean {
    if (this.stateOf(orderId) !== 'unpaid') return false;
    this.#states.set(orderId, 'paid');
    return true;
  }

  closeIfUnpaid(orderId: string): void {
    if (this.stateOf(orderId) === 'unpaid') this.#states.set(orderId, 'closed');
  }

  remind(orderId: string): void {
    if (this.stateOf(orderId) === 'unpaid') this.notes.push(`Order ${orderId} waits for its payment.`);
  }

  stateOf(orderId: string): OrderState | undefined {
    return this.#states.get(orderId);
  }
}
