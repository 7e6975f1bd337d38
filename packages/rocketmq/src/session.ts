// Session: what a proxy knows of one consumer: its settings, told over a stream, and that it is alive.
//
// S1  A consumer asks for messages only while the proxy has its settings: without them it answers 50001.
// S2  A stream that ends is opened again, with its settings, until the session is closed; no error of it goes uncaught.
// S3  A session that gets no answer says so in time; it never waits for ever.
// S4  Settings that nobody answers are told anew, on another stream: an answer may be lost as well.

import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { Clock, Timer } from '@carillon/core/spi';
import type { TelemetryCommand as Command } from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';
import type { Client } from './channel.js';
import { BrokerFailure, failureFrom, failureOf } from './failure.js';
import {
  ClientType,
  duration,
  FilterExpression,
  FilterType,
  HeartbeatRequest,
  Language,
  NotifyClientTerminationRequest,
  resource,
  Settings,
  Subscription,
  SubscriptionEntry,
  TelemetryCommand,
  UA,
} from './protocol.js';

/** Whom a session is about. */
export interface SessionParts {
  readonly channel: Client;
  readonly topic: string;
  readonly group: string;
  readonly pollMs: number;
  readonly requestTimeoutMs: number;
  readonly clock: Clock;
  /** Told when the proxy has the settings, and when it can't be reached any more. */
  readonly onState: (up: boolean, reason: string) => void;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const REOPEN_MS = 500;
const ANSWER_MS = 3_000;
const HEARTBEAT_MS = 10_000;

/** One consumer's session with the proxy. */
export class Session {
  readonly #parts: SessionParts;
  #stream: ClientDuplexStream<Command, Command> | undefined;
  #ready = false;
  readonly #waiting = new Set<Waiting>();
  #last: BrokerFailure | undefined;
  #timer: Timer | undefined;
  #beat: Timer | undefined;
  #closed = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Begins to tell the proxy; harmless if it has begun. */
  start(): void {
    if (this.#closed || this.#stream !== undefined || this.#timer !== undefined) return;
    this.#open();
    if (this.#beat === undefined) this.#armHeartbeat();
  }

  /** Resolves when the proxy has the settings; rejects with what is in the way after `withinMs` (S3). */
  ready(withinMs: number): Promise<void> {
    if (this.#ready) return Promise.resolve();
    this.start();
    return new Promise((resolve, reject) => {
      const timer = this.#parts.clock.after(withinMs, () => {
        this.#waiting.delete(waiting);
        const why = `no answer to the settings of ${this.#parts.group} within ${withinMs} ms`;
        reject(this.#last ?? new BrokerFailure('unclear', `RocketMQ gave ${why}.`, undefined));
      });
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T): void => {
          timer.cancel();
          this.#waiting.delete(waiting);
          settle(value);
        };
      const waiting: Waiting = { resolve: settled(resolve), reject: settled(reject) };
      this.#waiting.add(waiting);
    });
  }

  /** The proxy has lost the settings: tells it again. */
  renew(): void {
    this.#lose('the proxy asks for the settings again');
  }

  /** Says goodbye, and ends. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const known = this.#ready;
    this.#closed = true;
    this.#ready = false;
    this.#timer?.cancel();
    this.#beat?.cancel();
    for (const { reject } of this.#waiting) reject(new BrokerFailure('unreachable', 'Closed.', undefined));
    const { channel, group, requestTimeoutMs } = this.#parts;
    if (known) {
      const goodbye = new NotifyClientTerminationRequest().setGroup(resource(group));
      await channel.call('notifyClientTermination', goodbye, Math.min(requestTimeoutMs, 1_000)).catch(() => {});
    }
    this.#stream?.end();
    this.#stream?.cancel();
    this.#stream = undefined;
  }

  #open(): void {
    const stream = this.#parts.channel.telemetry();
    this.#stream = stream;
    stream.on('data', (command: Command) => {
      if (stream === this.#stream) this.#hear(command);
    });
    stream.on('error', (error: Error) => {
      if (stream === this.#stream) this.#lose(error.message, failureFrom(error)); // S2: the listener stays for ever
    });
    stream.on('end', () => {
      if (stream === this.#stream) this.#lose('the proxy ended the stream');
    });
    stream.write(this.#settings());
    this.#timer = this.#parts.clock.after(ANSWER_MS, () => this.#lose('nobody answered the settings')); // S4
  }

  #hear(command: Command): void {
    const failure = failureOf(command.getStatus()?.toObject());
    if (failure !== undefined) return this.#refuse(failure);
    if (!command.hasSettings() || this.#closed) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#ready = true;
    this.#last = undefined;
    this.#parts.onState(true, '');
    for (const { resolve } of this.#waiting) resolve();
  }

  /** Tells those who wait what only a person can mend; anything else may pass. */
  #refuse(failure: BrokerFailure): void {
    this.#last = failure;
    if (failure.kind !== 'setup' && failure.kind !== 'access') return;
    for (const { reject } of this.#waiting) reject(failure);
  }

  #lose(reason: string, failure?: BrokerFailure): void {
    if (this.#closed) return;
    if (failure !== undefined) this.#refuse(failure);
    const stream = this.#stream;
    this.#stream = undefined;
    if (this.#ready) this.#parts.onState(false, reason);
    this.#ready = false;
    stream?.cancel();
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.after(REOPEN_MS, () => {
      this.#timer = undefined;
      if (!this.#closed) this.#open();
    });
  }

  #armHeartbeat(): void {
    const { clock, channel, group, requestTimeoutMs } = this.#parts;
    this.#beat = clock.after(HEARTBEAT_MS, () => {
      if (this.#closed) return;
      const request = new HeartbeatRequest().setGroup(resource(group)).setClientType(ClientType.SIMPLE_CONSUMER);
      channel.call('heartbeat', request, requestTimeoutMs).then(
        (response) => {
          if (failureOf(response.getStatus()?.toObject())?.kind === 'forgotten') this.renew();
        },
        () => {}, // the stream tells of a lost connection
      );
      this.#armHeartbeat();
    });
  }

  #settings(): Command {
    const { topic, group, pollMs, requestTimeoutMs } = this.#parts;
    const everything = new FilterExpression().setType(FilterType.TAG).setExpression('*');
    const settings = new Settings()
      .setClientType(ClientType.SIMPLE_CONSUMER)
      .setRequestTimeout(duration(requestTimeoutMs))
      .setUserAgent(new UA().setLanguage(Language.NODE_JS).setVersion('carillon'));
    const own = new Subscription().setGroup(resource(group)).setLongPollingTimeout(duration(pollMs));
    own.addSubscriptions(new SubscriptionEntry().setTopic(resource(topic)).setExpression(everything));
    return new TelemetryCommand().setSettings(settings.setSubscription(own));
  }
}
