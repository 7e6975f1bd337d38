// Broker transport: the transport port of one process, over a wire to the broker.

import { checkLease } from '@carillon/core/spi';
import type { Delivery, Limits, OutgoingMessage, ReceiveRequest, SendOutcome, Transport } from '@carillon/core/spi';
import type { Wire } from '../world/wire.js';
import type { Incarnation } from '../world/host.js';
import type { Broker, StoredMessage } from './broker.js';

const SEND = { requestLost: 'send-lost', answerLost: 'send-unheard' } as const;
const RECEIVE = {} as const;
const SETTLE = { requestLost: 'ack-lost' } as const;

/** What a process needs to reach the broker. */
export interface BrokerTransportParts {
  readonly broker: Broker;
  readonly wire: Wire;
  readonly process: Incarnation;
  /** Whether what the broker has just handed out gets lost on its way. */
  readonly losesDelivery: () => boolean;
}

/** One process's handle on the broker. */
export class BrokerTransport implements Transport {
  readonly limits: Limits;
  readonly #parts: BrokerTransportParts;
  #closed = false;

  constructor(parts: BrokerTransportParts) {
    this.#parts = parts;
    this.limits = parts.broker.limits;
    parts.process.onCrash(() => parts.broker.disconnect(parts.process.host));
  }

  async open(): Promise<void> {
    await this.#parts.wire.ask('open', RECEIVE, async () => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#parts.broker.hangUp(this.#parts.process.host);
  }

  async send(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]> {
    const { broker, wire, process } = this.#parts;
    return Promise.all(
      messages.map((message) =>
        wire
          .ask('send', SEND, async () => broker.send(process.host, message))
          .catch((cause: unknown): SendOutcome => ({ outcome: 'unknown', cause })),
      ),
    );
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    const { broker, wire, process, losesDelivery } = this.#parts;
    if (this.#closed) return [];
    checkLease(request.leaseMs, this.limits.leaseMs);
    const taken = await wire.ask('receive', RECEIVE, () => broker.receive(process.host, request));
    return taken.filter(() => !losesDelivery()).map((stored) => this.#delivery(stored));
  }

  #delivery(stored: StoredMessage): Delivery {
    const { broker, wire, process } = this.#parts;
    const attempt = stored.attempts;
    const settle = (what: 'ack' | 'extend' | 'release', forMs: number): Promise<'ok' | 'lost'> =>
      wire.ask(what, SETTLE, async () => broker.settle(process.host, stored, attempt, what, forMs));
    return {
      queue: stored.message.queue,
      body: stored.message.body,
      attempt,
      ack: () => settle('ack', 0),
      extend: async (leaseMs) => {
        checkLease(leaseMs, this.limits.leaseMs);
        return settle('extend', leaseMs);
      },
      release: (afterMs) => settle('release', afterMs),
    };
  }
}
