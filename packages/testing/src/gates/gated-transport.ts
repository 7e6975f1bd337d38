// Gated transport: a transport whose calls, and those of its deliveries, a test can hold up, fail or count.

import type {
  Delivery,
  Health,
  Limits,
  OutgoingMessage,
  ReceiveRequest,
  SendOutcome,
  Transport,
} from '@carillon/core/spi';
import { Gate } from './gate.js';

/** What can be gated on a transport: its own calls, and those of the deliveries that it hands out. */
export type TransportCall = 'open' | 'close' | 'send' | 'receive' | 'recall' | 'ack' | 'extend' | 'release';

/** Stands before a transport; see `Gate` for the orders it takes. */
export class GatedTransport extends Gate<TransportCall> implements Transport {
  readonly #transport: Transport;
  readonly #listeners = new Set<(health: Health) => void>();

  constructor(transport: Transport) {
    super();
    this.#transport = transport;
  }

  get limits(): Limits {
    return this.#transport.limits;
  }

  open(queues?: readonly string[]): Promise<void> {
    return this.pass('open', () => this.#transport.open(queues));
  }

  close(): Promise<void> {
    return this.pass('close', () => this.#transport.close());
  }

  send(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]> {
    return this.pass('send', () => this.#transport.send(messages));
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    const deliveries = await this.pass('receive', () => this.#transport.receive(request));
    return deliveries.map((delivery) => ({
      queue: delivery.queue,
      body: delivery.body,
      attempt: delivery.attempt,
      ...(delivery.granted && { granted: delivery.granted }),
      ack: () => this.pass('ack', () => delivery.ack()),
      extend: (leaseMs) => this.pass('extend', () => delivery.extend(leaseMs)),
      release: (afterMs) => this.pass('release', () => delivery.release(afterMs)),
    }));
  }

  async recall(receipt: string): Promise<void> {
    await this.pass('recall', async () => this.#transport.recall?.(receipt));
  }

  onHealth(listener: (health: Health) => void): () => void {
    this.#listeners.add(listener);
    const end = this.#transport.onHealth?.(listener);
    return () => {
      this.#listeners.delete(listener);
      end?.();
    };
  }

  /** Tells all listeners of this health, as the transport itself would. */
  report(health: Health): void {
    for (const listener of this.#listeners) listener(health);
  }
}
