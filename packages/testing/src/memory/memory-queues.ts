// Memory queues: the messages of one memory store, as a broker keeps them.
//
// Q1  A message is visible from an instant on; a delivery makes it invisible for the length of its lease
//     (P2 of ports/transport.ts).
// Q2  A delivery speaks for its message only while its lease runs and no later delivery has been made.

import type { Instant, OutgoingMessage } from '@carillon/core/spi';
import { SortedSet } from '../sorted-set.js';

/** A message in a queue. */
export interface QueuedMessage {
  readonly message: OutgoingMessage;
  readonly receipt: string;
  readonly order: number;
  /** When it can be delivered; while a delivery is held, when that ends. */
  readonly visibleAt: Instant;
  /** How often it has been delivered. */
  readonly attempts: number;
  /** Whether its latest delivery may still speak for it, as far as `visibleAt` allows. */
  readonly held: boolean;
}

/** The messages of one memory store, shared by all handles on it. */
export class MemoryQueues {
  readonly #queues = new Map<string, SortedSet<QueuedMessage>>();
  readonly #byReceipt = new Map<string, QueuedMessage>();
  #sent = 0;

  /** Stores a message and returns its receipt. */
  add(message: OutgoingMessage, visibleAt: Instant): string {
    this.#sent += 1;
    const receipt = `receipt-${this.#sent}`;
    this.#file({ message, receipt, order: this.#sent, visibleAt, attempts: 0, held: false });
    return receipt;
  }

  /** Delivers up to `max` visible messages under a lease. */
  take(queue: string, max: number, now: Instant, leaseMs: number): readonly QueuedMessage[] {
    const taken: QueuedMessage[] = [];
    for (let next = this.#queue(queue).first; next && next.visibleAt <= now; next = this.#queue(queue).first) {
      if (taken.length === max) break;
      taken.push(this.#replace(next, { visibleAt: now + leaseMs, attempts: next.attempts + 1, held: true }));
    }
    return taken;
  }

  /** When a delivery of this queue next becomes possible. */
  nextAt(queue: string): Instant | undefined {
    return this.#queue(queue).first?.visibleAt;
  }

  /** The message as its delivery `attempt` holds it now; `undefined` once that delivery is over (Q2). */
  held(receipt: string, attempt: number, now: Instant): QueuedMessage | undefined {
    const queued = this.#byReceipt.get(receipt);
    return queued?.held === true && queued.attempts === attempt && queued.visibleAt > now ? queued : undefined;
  }

  /** Holds a message until another time. */
  extend(queued: QueuedMessage, visibleAt: Instant): void {
    this.#replace(queued, { visibleAt });
  }

  /** Gives a message back, to be delivered from an instant on; its delivery is over. */
  release(queued: QueuedMessage, visibleAt: Instant): void {
    this.#replace(queued, { visibleAt, held: false });
  }

  /** Forgets a message, if it is still there. */
  remove(receipt: string): void {
    const queued = this.#byReceipt.get(receipt);
    if (queued === undefined) return;
    this.#queue(queued.message.queue).delete(queued);
    this.#byReceipt.delete(receipt);
  }

  #replace(old: QueuedMessage, change: Partial<Pick<QueuedMessage, 'visibleAt' | 'attempts' | 'held'>>): QueuedMessage {
    const queued = { ...old, ...change };
    this.remove(old.receipt);
    this.#file(queued);
    return queued;
  }

  #file(queued: QueuedMessage): void {
    this.#queue(queued.message.queue).add(queued);
    this.#byReceipt.set(queued.receipt, queued);
  }

  #queue(name: string): SortedSet<QueuedMessage> {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new SortedSet<QueuedMessage>((a, b) => a.visibleAt - b.visibleAt || a.order - b.order);
      this.#queues.set(name, queue);
    }
    return queue;
  }
}
