// Transport probe: sends and receives in words that a test can be read in, in virtual time and in real.

import { expect } from 'vitest';
import type { Delivery, Instant, OutgoingMessage, ReceiveRequest, Transport } from '@carillon/core/spi';
import type { Closeable } from '../suite.js';

const STEPS = 50; // how finely a wait is cut

/** A fresh transport, and the time that it lives in. */
export interface TransportFixture extends Closeable {
  /** Open and empty. */
  readonly transport: Transport;
  /** Lets at least so many ms pass: in virtual time at once, else by waiting. */
  readonly advance: (ms: number) => Promise<void>;
  /** The broker's time, as well as it can be told. */
  readonly now: () => Instant;
  /** How much later than asked for a message may come, in ms, before a test calls it lost. Default 0. */
  readonly slackMs?: number;
  /** Opens another handle on the same messages, as another process would; tests that need one are skipped without it. */
  readonly second?: () => Promise<Transport>;
}

/** What a test of a transport works with. */
export interface ProbedTransport extends TransportFixture {
  readonly probe: TransportProbe;
}

/** A delivery, and when it was seen. */
export interface Arrival {
  readonly delivery: Delivery;
  readonly at: Instant;
  /** Its body as text. */
  readonly text: string;
}

/** A `receive` under way. */
export interface PendingReceive {
  readonly answer: Promise<readonly Delivery[]>;
  /** Ends the wait, and returns the answer. */
  abort(): Promise<readonly Delivery[]>;
}

/** Speaks to one handle of a transport. */
export class TransportProbe {
  readonly transport: Transport;
  readonly #fixture: TransportFixture;
  static #messages = 0;

  constructor(fixture: TransportFixture, transport = fixture.transport) {
    this.#fixture = fixture;
    this.transport = transport;
  }

  /** A probe of another handle on the same messages. */
  through(transport: Transport): TransportProbe {
    return new TransportProbe(this.#fixture, transport);
  }

  /** The lease that tests ask for and wait out: a second, or the shortest that there is. */
  get leaseMs(): number {
    return Math.max(1000, this.transport.limits.leaseMs[0]);
  }

  /** A delay that the transport's precision cannot blur. */
  get delayMs(): number {
    return Math.max(2000, 3 * this.transport.limits.precisionMs);
  }

  /** How late a message may be at most: the coarseness of the delivery times, and what the harness grants. */
  get toleranceMs(): number {
    return this.transport.limits.precisionMs + (this.#fixture.slackMs ?? 0);
  }

  message(text: string, over: Partial<OutgoingMessage> = {}): OutgoingMessage {
    TransportProbe.#messages += 1;
    const id = `message-${TransportProbe.#messages}`;
    return { id, queue: 'default', body: Buffer.from(text), deliverAt: this.#fixture.now(), ...over };
  }

  /** Sends one message, which must be accepted. */
  async send(text: string, over: Partial<OutgoingMessage> = {}): Promise<void> {
    expect(await this.transport.send([this.message(text, over)])).toMatchObject([{ outcome: 'sent' }]);
  }

  /** Starts to receive. */
  receive(over: Partial<ReceiveRequest> = {}): PendingReceive {
    const end = new AbortController();
    const request = {
      queue: 'default',
      max: 10,
      leaseMs: this.leaseMs,
      holder: 'engine-a',
      signal: end.signal,
      ...over,
    };
    const answer = this.transport.receive(request);
    return {
      answer,
      abort: () => {
        end.abort();
        return answer;
      },
    };
  }

  /** Receives until `count` messages have come, or until `ms` have passed: the arrivals so far. */
  async collect(count: number, ms: number, over: Partial<ReceiveRequest> = {}): Promise<readonly Arrival[]> {
    const arrivals: Arrival[] = [];
    const deadline = this.#fixture.now() + ms;
    const stepMs = Math.max(1, Math.ceil(ms / STEPS));
    const done = new AbortController();
    const loop = async (): Promise<void> => {
      while (!done.signal.aborted && arrivals.length < count) {
        const deliveries = await this.receive({ ...over, signal: done.signal }).answer;
        const at = this.#fixture.now();
        for (const delivery of deliveries) arrivals.push({ delivery, at, text: Buffer.from(delivery.body).toString() });
      }
      done.abort();
    };
    const running = loop();
    await this.#fixture.advance(0);
    while (!done.signal.aborted && this.#fixture.now() < deadline) {
      await this.#fixture.advance(Math.min(stepMs, deadline - this.#fixture.now()));
    }
    done.abort();
    await running;
    return arrivals;
  }

  /** Receives one message that must come within the time. */
  async one(ms = this.toleranceMs, over: Partial<ReceiveRequest> = {}): Promise<Arrival> {
    const [arrival] = await this.collect(1, ms, { max: 1, ...over });
    if (arrival === undefined) throw new Error(`No message came within ${ms} ms.`);
    return arrival;
  }

  /** Fails the test if a message comes within the time. */
  async none(ms: number, over: Partial<ReceiveRequest> = {}): Promise<void> {
    const arrivals = await this.collect(1, ms, over);
    expect(arrivals.map(({ text }) => text)).toEqual([]);
  }
}
