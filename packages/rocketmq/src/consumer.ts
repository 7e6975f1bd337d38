// Consumer: receives the messages of one queue, by long polls that go on beyond the `receive` that began them.
//
// R1  A poll can't be taken back without losing, for a lease, what it brings just then. So it goes on when its `receive`
//     has ended, and what it brings waits here for the next one, for a moment; then it is given back.
// R2  No more is asked for, in all polls together, than those who wait have asked for (P3 of ports/transport.ts).
// R3  One poll per broker while the queue is quiet, several while each comes back full.
// R4  What was never handed over is given back without counting as a delivery.

import { checkLease, type Clock, type Delivery, type ReceiveRequest, type Timer } from '@carillon/core/spi';
import { Acks, type Receipt } from './acks.js';
import type { Client } from './channel.js';
import { BrokerFailure, explain, failureFrom, failureOf } from './failure.js';
import { HeldDelivery, type Keeper } from './held-delivery.js';
import { longPoll, POLL_MS } from './long-poll.js';
import * as pb from './protocol.js';
import { queryRoute, type Route } from './route.js';
import { Session } from './session.js';

/** What a consumer works with. */
export interface ConsumerParts {
  readonly channel: Client;
  readonly endpoint: string;
  readonly queue: string;
  readonly topic: string;
  readonly group: string;
  readonly leaseMs: readonly [min: number, max: number];
  readonly requestTimeoutMs: number;
  readonly startTimeoutMs: number;
  readonly clock: Clock;
  readonly onState: (up: boolean, reason: string) => void;
}

interface Waiter {
  readonly max: number;
  readonly leaseMs: number;
  readonly done: (deliveries: readonly Delivery[]) => void;
  readonly fail: (error: unknown) => void;
}

const BATCH = 32; // the most that a proxy gives at once
const POLLS = 8;
const PARK_MS = 2_000;
const ROUTE_MS = 60_000; // brokers come and go

/** The receiving side of one queue. */
export class Consumer {
  readonly #parts: ConsumerParts;
  readonly #session: Session;
  readonly #keeper: Keeper;
  readonly #held = new Set<HeldDelivery>();
  readonly #polls = new Map<{ cancel: () => void }, number>(); // → how many it may bring
  readonly #waiters = new Set<Waiter>();
  #parked: HeldDelivery[] = [];
  #parking: Timer | undefined;
  #route: Route | undefined;
  #routedAt = 0;
  #turn = 0;
  #full = false;
  #closed = false;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
    this.#session = new Session({ ...parts, pollMs: POLL_MS });
    this.#keeper = {
      acks: new Acks(parts),
      leaseMs: parts.leaseMs,
      change: (receipt, ms, uncounted) => this.#change(receipt, ms, uncounted),
      forget: (delivery) => this.#held.delete(delivery),
    };
  }

  /** Verifies topic and group, and makes itself known to the proxy. */
  async open(): Promise<void> {
    const { channel, clock, topic, endpoint, requestTimeoutMs, startTimeoutMs } = this.#parts;
    try {
      const now = clock.monotonic();
      if (this.#route === undefined || now - this.#routedAt > ROUTE_MS) {
        this.#route = await queryRoute(channel, topic, endpoint, requestTimeoutMs);
        this.#routedAt = now;
      }
      await this.#session.ready(startTimeoutMs);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Waits for messages; answers with none when the signal or the consumer ends. */
  async receive({ max, leaseMs, signal }: Omit<ReceiveRequest, 'queue'>): Promise<readonly Delivery[]> {
    checkLease(leaseMs, this.#parts.leaseMs);
    if (signal.aborted || this.#closed) return [];
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(waiter);
        signal.removeEventListener('abort', none);
      };
      const none = (): void => waiter.done([]);
      const waiter: Waiter = {
        max,
        leaseMs,
        done: (deliveries) => {
          end();
          resolve(deliveries);
        },
        fail: (error) => {
          end();
          reject(error instanceof Error ? error : new Error(String(error)));
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', none);
      this.#serve();
    });
  }

  /** Ends every `receive`, gives back what is held, and says goodbye. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#parking?.cancel();
    for (const waiter of this.#waiters) waiter.done([]);
    for (const poll of this.#polls.keys()) poll.cancel();
    const unseen = new Set(this.#parked.splice(0));
    const given = [...this.#held].map((delivery) => (unseen.has(delivery) ? delivery.putBack() : delivery.release(0)));
    await Promise.allSettled(given);
    await this.#session.close();
  }

  /** Hands out what is here, and polls for what is still wanted. */
  #serve(): void {
    for (const waiter of this.#waiters) {
      if (this.#parked.length === 0) break;
      waiter.done(this.#parked.splice(0, waiter.max));
    }
    if (this.#parked.length === 0) this.#parking?.cancel();
    const [first] = this.#waiters;
    if (first === undefined || this.#closed) return;
    let room = [...this.#waiters].reduce((sum, { max }) => sum + max, 0);
    for (const asked of this.#polls.values()) room -= asked; // R2
    const most = this.#full ? POLLS : (this.#route?.length ?? 1); // R3
    while (room > 0 && this.#polls.size < most) {
      const share = this.#full ? BATCH : Math.ceil(room / (most - this.#polls.size));
      const size = Math.min(BATCH, room, share);
      room -= size;
      void this.#poll(size, first.leaseMs);
    }
  }

  async #poll(size: number, leaseMs: number): Promise<void> {
    const poll = { cancel: (): void => {} };
    this.#polls.set(poll, size);
    try {
      await this.open();
      if (this.#closed) return;
      const asked = longPoll({ ...this.#parts, broker: this.#nextBroker(), size, leaseMs });
      poll.cancel = asked.cancel;
      const { queue } = this.#parts;
      const received = (await asked.answer).map((arrived) => new HeldDelivery(this.#keeper, { queue, ...arrived }));
      this.#full = received.length === BATCH || (received.length === size && this.#full);
      for (const delivery of received) this.#held.add(delivery);
      this.#parked.push(...received);
      if (this.#closed) await Promise.allSettled(received.map((delivery) => delivery.putBack()));
    } catch (error) {
      if (this.#closed) return;
      const failure = this.#explained(error);
      if (failure instanceof BrokerFailure && failure.kind === 'forgotten') this.#session.renew();
      for (const waiter of this.#waiters) waiter.fail(failure);
    } finally {
      this.#polls.delete(poll);
      this.#serve();
      this.#park();
    }
  }

  /** Gives back, after a moment, what nobody has come for (R1). */
  #park(): void {
    if (this.#parked.length === 0 || this.#closed) return;
    this.#parking?.cancel();
    this.#parking = this.#parts.clock.after(PARK_MS, () => {
      for (const delivery of this.#parked.splice(0)) delivery.putBack().catch(() => {}); // R4; else its lease ends
    });
  }

  #nextBroker(): string {
    const route = this.#route ?? [];
    return route[this.#turn++ % Math.max(1, route.length)] ?? '';
  }

  async #change(receipt: Receipt, ms: number, uncounted: boolean): Promise<{ handle: string } | 'lost'> {
    const { channel, topic, group, requestTimeoutMs } = this.#parts;
    const request = new pb.ChangeInvisibleDurationRequest()
      .setGroup(pb.resource(group))
      .setTopic(pb.resource(topic))
      .setMessageId(receipt.messageId)
      .setReceiptHandle(receipt.handle)
      .setInvisibleDuration(pb.duration(ms))
      .setSuspend(uncounted);
    try {
      const response = await channel.call('changeInvisibleDuration', request, requestTimeoutMs);
      const failure = failureOf(response.getStatus()?.toObject());
      if (failure === undefined) return { handle: response.getReceiptHandle() };
      if (failure.kind === 'lost') return 'lost';
      throw failure;
    } catch (error) {
      throw this.#explained(error);
    }
  }

  #explained(error: unknown): Error {
    if (error instanceof Error && error.name === 'CarillonError') return error;
    return explain(failureFrom(error), this.#parts);
  }
}
