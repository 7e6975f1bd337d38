// Long poll: one request for messages, from asking until the last of its answer.
//
// L1  What has come counts, also if the answer breaks after it.

import type { Arrived } from './arrival.js';
import type { Channel } from './channel.js';
import { type BrokerFailure, failureFrom, failureOf } from './failure.js';
import * as pb from './protocol.js';

/** How long the broker waits for a message before it answers without one, in milliseconds: the shortest that a proxy takes. */
export const POLL_MS = 5_000;

/** Whom a long poll asks, and for what. */
export interface LongPollRequest {
  readonly channel: Pick<Channel, 'receive'>;
  readonly topic: string;
  readonly group: string;
  readonly broker: string;
  /** How many messages it may bring. */
  readonly size: number;
  readonly leaseMs: number;
  readonly requestTimeoutMs: number;
}

/** A long poll under way. */
export interface LongPoll {
  readonly answer: Promise<readonly Arrived[]>;
  readonly cancel: () => void;
}

/** Asks a broker for messages. */
export function longPoll({ channel, requestTimeoutMs, ...asked }: LongPollRequest): LongPoll {
  const call = channel.receive(requestOf(asked), POLL_MS + requestTimeoutMs);
  const answer = new Promise<readonly Arrived[]>((resolve, reject) => {
    const messages: Arrived[] = [];
    let failure: BrokerFailure | undefined;
    call.on('data', ({ message, status }) => {
      if (message !== undefined) messages.push(message);
      else failure = failureOf(status) ?? failure;
    });
    call.on('error', (error) => {
      if (messages.length > 0) resolve(messages); // L1
      else reject(failureFrom(error));
    });
    call.on('end', () => {
      if (messages.length > 0 || failure === undefined || failure.code === pb.Code.MESSAGE_NOT_FOUND) resolve(messages);
      else reject(failure);
    });
  });
  return { answer, cancel: () => call.cancel() };
}

function requestOf({ topic, group, broker, size, leaseMs }: Omit<LongPollRequest, 'channel' | 'requestTimeoutMs'>) {
  const queue = new pb.MessageQueue().setTopic(pb.resource(topic)).setBroker(new pb.Broker().setName(broker));
  return new pb.ReceiveMessageRequest()
    .setGroup(pb.resource(group))
    .setMessageQueue(queue)
    .setFilterExpression(new pb.FilterExpression().setType(pb.FilterType.TAG).setExpression('*'))
    .setBatchSize(size)
    .setAutoRenew(false)
    .setInvisibleDuration(pb.duration(leaseMs))
    .setLongPollingTimeout(pb.duration(POLL_MS));
}
