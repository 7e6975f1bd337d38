// Memory transport: the reference of the transport port. As strict as a broker: it delivers as early as its precision
// allows, refuses what is beyond its limits, and takes no lease outside of them.

import type {
  Clock,
  Delivery,
  Instant,
  Limits,
  OutgoingMessage,
  ReceiveRequest,
  SendOutcome,
  Transport,
} from '@carillon/core/spi';
import { CarillonError, checkLease } from '@carillon/core/spi';
import type { MemoryQueues, QueuedMessage } from './memory-queues.js';
import { copyMessage } from './records.js';
import type { WaitingRoom } from './waiting-room.js';

/** What a memory transport shares with other handles on the same messages. */
export interface MemoryBroker {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly queues: MemoryQueues;
  readonly waiting: WaitingRoom;
}

/** One handle on messages in memory; any number of handles may share them. */
export class MemoryTransport implements Transport {
  readonly limits: Limits;
  readonly #broker: MemoryBroker;
  readonly #held = new Map<string, number>(); // receipt → attempt
  #closed = false;

  constructor(broker: MemoryBroker) {
    this.#broker = broker;
    this.limits = broker.limits;
  }

  async open(): Promise<void> {
    this.#closed = false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const [receipt, attempt] of this.#held) this.#settle(receipt, attempt, 'release', 0);
    this.#broker.waiting.wakeAll();
  }

  async send(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]> {
    this.#check();
    return messages.map((message) => this.#send(message));
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    const { queue, max, leaseMs, signal } = request;
    const { clock, queues, waiting } = this.#broker;
    this.#check();
    checkLease(leaseMs, this.#broker.limits.leaseMs);
    for (;;) {
      if (this.#closed || signal.aborted) return [];
      const taken = queues.take(queue, max, clock.now(), leaseMs);
      if (taken.length > 0) return taken.map((queued) => this.#deliver(queued));
      await waiting.wait(queue, queues.nextAt(queue), signal);
    }
  }

  async recall(receipt: string): Promise<void> {
    this.#check();
    this.#broker.queues.remove(receipt);
  }

  #send(message: OutgoingMessage): SendOutcome {
    const { clock, limits, queues, waiting } = this.#broker;
    const { deliverAt, body, queue } = message;
    const aheadMs = deliverAt - clock.now();
    if (aheadMs > limits.horizonMs) {
      return refused(`it is to be delivered in ${aheadMs} ms, and the horizon is ${limits.horizonMs} ms`);
    }
    if (body.length > limits.maxBytes) {
      return refused(`its body has ${body.length} bytes, and the limit is ${limits.maxBytes}`);
    }
    const receipt = queues.add(copyMessage(message), floorTo(deliverAt, limits.precisionMs));
    waiting.wake(queue);
    return { outcome: 'sent', receipt };
  }

  #deliver({ message, receipt, attempts }: QueuedMessage): Delivery {
    this.#held.set(receipt, attempts);
    return {
      queue: message.queue,
      body: message.body.slice(),
      attempt: attempts,
      ack: async () => this.#settle(receipt, attempts, 'ack', 0),
      extend: async (leaseMs) => {
        checkLease(leaseMs, this.#broker.limits.leaseMs);
        return this.#settle(receipt, attempts, 'extend', leaseMs);
      },
      release: async (afterMs) => this.#settle(receipt, attempts, 'release', afterMs),
    };
  }

  #settle(receipt: string, attempt: number, what: 'ack' | 'extend' | 'release', ms: number): 'ok' | 'lost' {
    const { clock, queues, waiting } = this.#broker;
    const now = clock.now();
    const queued = queues.held(receipt, attempt, now);
    if (what !== 'extend' && this.#held.get(receipt) === attempt) this.#held.delete(receipt);
    if (queued === undefined) return 'lost';
    if (what === 'ack') queues.remove(receipt);
    else if (what === 'extend') queues.extend(queued, now + ms);
    else queues.release(queued, now + ms);
    waiting.wake(queued.message.queue); // whoever waits for this message may have to wait for another time
    return 'ok';
  }

  #check(): void {
    if (this.#closed) throw new CarillonError('E_STOPPED', 'This transport is closed.', { next: 'Open it again.' });
  }
}

function refused(why: string): SendOutcome {
  return { outcome: 'refused', reason: `The message was refused: ${why}.` };
}

/** As early as the precision allows (P1 of ports/transport.ts). */
function floorTo(instant: Instant, precisionMs: number): Instant {
  return precisionMs > 0 ? Math.floor(instant / precisionMs) * precisionMs : instant;
}
