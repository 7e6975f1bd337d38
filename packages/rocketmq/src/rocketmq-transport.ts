// RocketMQ transport: the transport port over the gRPC protocol of RocketMQ 5.

import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { CarillonError } from '@carillon/core/spi';
import type {
  Delivery,
  Health,
  Limits,
  OutgoingMessage,
  ReceiveRequest,
  SendOutcome,
  Transport,
} from '@carillon/core/spi';
import { Channel } from './channel.js';
import { Consumer } from './consumer.js';
import { BrokerFailure, explain, failureFrom, failureOf } from './failure.js';
import { Horizon } from './horizon.js';
import { topicOf } from './names.js';
import type { Resolved } from './options.js';
import * as pb from './protocol.js';
import { queryRoute } from './route.js';
import { Sender } from './sender.js';

const LEASE_MS = [10_000, 12 * 60 * 60 * 1000] as const;
const AGAIN_MS = 500;

interface Open {
  readonly channel: Channel;
  readonly sender: Sender;
  readonly consumers: Map<string, Consumer>;
}

/** A transport over RocketMQ. */
export class RocketmqTransport implements Transport {
  readonly #options: Resolved;
  readonly #horizon: Horizon;
  readonly #listeners = new Set<(health: Health) => void>();
  readonly #downs = new Map<string, string>(); // queue → why
  #open: Open | undefined;
  #opening: Promise<void> | undefined;

  constructor(options: Resolved) {
    this.#options = options;
    this.#horizon = new Horizon(options.horizonMs);
  }

  get limits(): Limits {
    const { precisionMs, maxBytes, retentionMs } = this.#options;
    return { horizonMs: this.#horizon.ms, precisionMs, maxBytes, leaseMs: LEASE_MS, retentionMs };
  }

  async open(queues: readonly string[] = []): Promise<void> {
    this.#opening ??= this.#verify(queues).catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    await this.#opening;
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#opening = undefined;
    this.#downs.clear();
    if (open === undefined) return;
    await Promise.allSettled([...open.consumers.values()].map((consumer) => consumer.close()));
    open.channel.close();
  }

  async send(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]> {
    const { sender } = this.#opened();
    const outcomes = await Promise.allSettled(messages.map((message) => sender.send(message)));
    const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
    if (failed[0] !== undefined && failed.length === outcomes.length) throw failed[0].reason;
    return outcomes.map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value : { outcome: 'unknown', cause: outcome.reason },
    );
  }

  async receive({ queue, ...request }: ReceiveRequest): Promise<readonly Delivery[]> {
    return this.#consumer(this.#opened(), queue).receive(request);
  }

  async recall(receipt: string): Promise<void> {
    const { channel } = this.#opened();
    const at = receipt.indexOf(':');
    const request = new pb.RecallMessageRequest()
      .setTopic(pb.resource(receipt.slice(0, at)))
      .setRecallHandle(receipt.slice(at + 1));
    const response = await channel.call('recallMessage', request, this.#options.requestTimeoutMs);
    const failure = failureOf(response.getStatus()?.toObject());
    if (failure?.kind === 'access') throw failure; // the rest says that it has gone, or that this broker recalls nothing
  }

  onHealth(listener: (health: Health) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #verify(queues: readonly string[]): Promise<void> {
    const { endpoint, tls, credentials, clock, startTimeoutMs } = this.#options;
    const clientId = `${hostname()}@${process.pid}@${randomUUID().slice(0, 8)}`;
    const channel = new Channel({ endpoint, clientId, credentials, tls, clock });
    const sender = new Sender({ channel, options: this.#options, horizon: this.#horizon });
    const open: Open = { channel, sender, consumers: new Map() };
    const deadline = clock.monotonic() + startTimeoutMs;
    for (;;) {
      try {
        await this.#within(deadline - clock.monotonic(), this.#try(open, queues));
        this.#open = open;
        return;
      } catch (error) {
        const mendable = CarillonError.is(error) || clock.monotonic() + AGAIN_MS >= deadline;
        if (mendable) {
          await Promise.allSettled([...open.consumers.values()].map((consumer) => consumer.close()));
          channel.close();
          throw CarillonError.is(error) ? error : this.#unreachable(error);
        }
        await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve));
      }
    }
  }

  async #try(open: Open, queues: readonly string[]): Promise<void> {
    await this.#reach(open.channel);
    const wanted = new Set([...queues, ...this.#options.verify]);
    await Promise.all([...wanted].map((queue) => this.#consumer(open, queue).open()));
  }

  /** What a trial comes to, unless it takes too long: single calls have longer time-outs of their own. */
  #within(ms: number, trial: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new BrokerFailure('unclear', 'There was no answer in time.', undefined));
      const timer = this.#options.clock.after(ms, late);
      trial.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  /** Asks something that only a RocketMQ proxy answers; which answer does not matter. */
  async #reach(channel: Channel): Promise<void> {
    const { endpoint, prefix, requestTimeoutMs } = this.#options;
    const topic = topicOf(prefix, 'default');
    try {
      await queryRoute(channel, topic, endpoint, requestTimeoutMs);
    } catch (error) {
      if (CarillonError.is(error)) return;
      throw explain(failureFrom(error), { topic, group: topic });
    }
  }

  #unreachable(cause: unknown): CarillonError {
    const { endpoint, startTimeoutMs } = this.#options;
    return new CarillonError('E_BROKER', `No RocketMQ proxy answered at ${endpoint} within ${startTimeoutMs} ms.`, {
      next: 'Check the address (gRPC, usually port 8081) and that the proxy and its name server run.',
      cause,
    });
  }

  #consumer(open: Open, queue: string): Consumer {
    const existing = open.consumers.get(queue);
    if (existing !== undefined) return existing;
    const { endpoint, prefix, clock, requestTimeoutMs, startTimeoutMs } = this.#options;
    const topic = topicOf(prefix, queue);
    const onState = (up: boolean, reason: string): void => this.#tell(queue, up, reason);
    const channel = open.channel.client(topic);
    const limits = { leaseMs: LEASE_MS, requestTimeoutMs, startTimeoutMs };
    const consumer = new Consumer({ channel, endpoint, queue, topic, group: topic, clock, onState, ...limits });
    open.consumers.set(queue, consumer);
    return consumer;
  }

  #tell(queue: string, up: boolean, reason: string): void {
    const before = this.#downs.size;
    if (up) this.#downs.delete(queue);
    else this.#downs.set(queue, reason);
    if ((before === 0) === (this.#downs.size === 0)) return;
    const health: Health = up ? { state: 'up' } : { state: 'down', reason: `RocketMQ is out of reach: ${reason}` };
    for (const listener of this.#listeners) listener(health);
  }

  #opened(): Open {
    if (this.#open !== undefined) return this.#open;
    throw new CarillonError('E_STOPPED', 'This transport is closed.', { next: 'Open it again.' });
  }
}
