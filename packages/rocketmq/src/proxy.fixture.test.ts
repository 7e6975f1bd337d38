// Proxy: a stand-in for a RocketMQ proxy at the level of calls, whose answers a test gives by hand. The real one is met in
// test/e2e/rocketmq; this one is for what a real one can't be made to do on time.

import { EventEmitter } from 'node:events';
import { VirtualClock } from '@carillon/testing';
import { type Arrival, readArrival } from './arrival.js';
import type { Client } from './channel.js';
import { Consumer } from './consumer.js';
import * as pb from './protocol.js';

type ReceiveRequest = InstanceType<typeof pb.ReceiveMessageRequest>;
type ChangeRequest = InstanceType<typeof pb.ChangeInvisibleDurationRequest>;

/** A long poll that a test ends. */
export interface Poll {
  readonly size: number;
  cancelled: boolean;
  /** Brings messages with these texts as bodies, and ends. */
  bring(...texts: string[]): void;
  /** Brings a message that says that its body is packed, and ends. */
  bringPacked(body: Uint8Array): void;
  /** Brings messages, and breaks. */
  fail(code: number, ...texts: string[]): void;
}

class Stream extends EventEmitter {
  readonly written: unknown[] = [];
  cancelled = false;
  write(command: unknown): void {
    this.written.push(command);
  }
  end(): void {}
  cancel(): void {
    this.cancelled = true;
  }
  /** The proxy accepts the settings. */
  accept(): void {
    this.emit('data', new pb.TelemetryCommand().setSettings(new pb.Settings()));
  }
}

/** A consumer before a proxy that does what the test says. */
export function proxy({ accepts = true, brokers = ['broker-a'] } = {}) {
  const clock = new VirtualClock();
  const [streams, polls, calls]: [Stream[], Poll[], string[]] = [[], [], []];
  const states: string[] = [];
  const status = { toObject: () => ({ code: pb.Code.OK, message: '' }) };
  const channel = {
    telemetry() {
      const stream = new Stream();
      streams.push(stream);
      if (accepts) clock.soon(() => stream.accept());
      return stream;
    },
    receive(request: ReceiveRequest) {
      const call = new EventEmitter();
      const poll: Poll = {
        size: request.getBatchSize(),
        cancelled: false,
        bring(...texts) {
          for (const text of texts) call.emit('data', messageOf(text));
          call.emit('end');
        },
        bringPacked(body) {
          call.emit('data', messageOf('packed', body));
          call.emit('end');
        },
        fail(code, ...texts) {
          for (const text of texts) call.emit('data', messageOf(text));
          call.emit('error', Object.assign(new Error('broken'), { code }));
        },
      };
      polls.push(poll);
      return Object.assign(call, { cancel: () => (poll.cancelled = true) });
    },
    async call(name: string, request: unknown) {
      if (name === 'queryRoute') {
        const queues = brokers.map((broker) => new pb.MessageQueue().setBroker(new pb.Broker().setName(broker)));
        return { getStatus: () => status, getMessageQueuesList: () => queues };
      }
      if (name === 'changeInvisibleDuration') {
        const change = request as ChangeRequest;
        const seconds = change.getInvisibleDuration()?.getSeconds() ?? 0;
        calls.push(`${change.getSuspend() ? 'put back' : 'change'} ${change.getReceiptHandle()} ${seconds}`);
        return { getStatus: () => status, getReceiptHandle: () => `${change.getReceiptHandle()}'` };
      }
      calls.push(name);
      return { getStatus: () => status, getEntriesList: () => [] };
    },
  } as unknown as Client;
  const consumer = new Consumer({
    channel,
    endpoint: 'a:1',
    queue: 'q',
    topic: 't',
    group: 'g',
    leaseMs: [10_000, 43_200_000],
    requestTimeoutMs: 1_000,
    startTimeoutMs: 5_000,
    clock,
    onState: (up) => void states.push(up ? 'up' : 'down'),
  });
  const receive = (max = 10, signal = new AbortController().signal) =>
    consumer
      .receive({ max, leaseMs: 10_000, holder: 'h', signal })
      .then((deliveries) => deliveries.map(({ body }) => Buffer.from(body).toString()));
  return { clock, consumer, streams, polls, calls, states, receive };
}

function messageOf(text: string, packed?: Uint8Array): Arrival {
  const system = new pb.SystemProperties()
    .setMessageId(`id-${text}`)
    .setReceiptHandle(`h-${text}`)
    .setDeliveryAttempt(1);
  if (packed !== undefined) system.setBodyEncoding(pb.Encoding.GZIP);
  const message = new pb.Message().setSystemProperties(system).setBody(packed ?? Buffer.from(text));
  return readArrival(Buffer.from(new pb.ReceiveMessageResponse().setMessage(message).serializeBinary()));
}
