// Held delivery: one message in this process' hands, under a receipt that changes whenever its lease does.
//
// D1  Calls on one delivery go one after the other: each uses the receipt that the one before it brought.
// D2  Once it is acknowledged, given back or lost, it has no say any more.
// D3  Nobody keeps one whose end could not be told: its lease ends by itself.

import { checkLease, type Delivery } from '@carillon/core/spi';
import type { Acks, Receipt } from './acks.js';

/** Where a delivery's calls go to. */
export interface Keeper {
  readonly acks: Pick<Acks, 'ack'>;
  readonly leaseMs: readonly [min: number, max: number];
  /** Makes a message invisible for `ms` from now; answers with its new handle. Uncounted: its next delivery is no other. */
  change(receipt: Receipt, ms: number, uncounted: boolean): Promise<{ readonly handle: string } | 'lost'>;
  /** Told once the delivery has ended, or should have. */
  forget(delivery: HeldDelivery): void;
}

/** What a delivery is made of. */
export interface Received extends Receipt {
  readonly queue: string;
  readonly body: Uint8Array;
  readonly attempt: number;
}

/** A delivery of RocketMQ. */
export class HeldDelivery implements Delivery {
  readonly queue: string;
  readonly body: Uint8Array;
  readonly attempt: number;
  readonly #keeper: Keeper;
  #receipt: Receipt;
  #ended = false;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(keeper: Keeper, { queue, body, attempt, messageId, handle }: Received) {
    this.#keeper = keeper;
    this.queue = queue;
    this.body = body;
    this.attempt = attempt;
    this.#receipt = { messageId, handle };
  }

  ack(): Promise<'ok' | 'lost'> {
    return this.#inTurn(async () => {
      const outcome = await this.#keeper.acks.ack(this.#receipt).finally(() => this.#keeper.forget(this)); // D3
      this.#ended = true; // D2
      return outcome;
    });
  }

  async extend(leaseMs: number): Promise<'ok' | 'lost'> {
    checkLease(leaseMs, this.#keeper.leaseMs);
    return this.#inTurn(() => this.#change(leaseMs));
  }

  release(afterMs: number): Promise<'ok' | 'lost'> {
    return this.#giveBack(Math.min(Math.max(afterMs, 0), this.#keeper.leaseMs[1]), false);
  }

  /** Gives back at once what was never handed over: its next delivery counts as this one. */
  putBack(): Promise<'ok' | 'lost'> {
    return this.#giveBack(0, true);
  }

  #giveBack(afterMs: number, uncounted: boolean): Promise<'ok' | 'lost'> {
    return this.#inTurn(async () => {
      const outcome = await this.#change(afterMs, uncounted).finally(() => this.#keeper.forget(this)); // D3
      this.#ended = true; // D2
      return outcome;
    });
  }

  async #change(ms: number, uncounted = false): Promise<'ok' | 'lost'> {
    const answer = await this.#keeper.change(this.#receipt, ms, uncounted);
    if (answer === 'lost') {
      this.#ended = true; // D2
      this.#keeper.forget(this);
      return 'lost';
    }
    this.#receipt = { messageId: this.#receipt.messageId, handle: answer.handle };
    return 'ok';
  }

  #inTurn(call: () => Promise<'ok' | 'lost'>): Promise<'ok' | 'lost'> {
    const turn = this.#tail.then(() => (this.#ended ? 'lost' : call())); // D1
    this.#tail = turn.catch(() => {});
    return turn;
  }
}
