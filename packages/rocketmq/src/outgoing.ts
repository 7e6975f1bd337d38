// Outgoing: a message as RocketMQ takes it.
//
// M1  Every message is of type DELAY, also one that is due: its delivery time is then in the past. A topic of delayed
//     messages takes no other, and a delay of 0 would be another.
// M2  The broker takes no empty body: one byte and a property stand for it.

import { randomBytes } from 'node:crypto';
import type { Instant } from '@carillon/core/spi';
import * as pb from './protocol.js';

/** The property of a message whose body is empty (M2). */
export const EMPTY = 'carillon-empty';

/** What a request to send is made of. */
export interface Outgoing {
  readonly topic: string;
  readonly body: Uint8Array;
  readonly deliverAt: Instant;
  readonly now: Instant;
  readonly vendorProperty: boolean;
}

/** The request that sends one message; delayed ones can't be sent together. */
export function sendRequest(out: Outgoing): InstanceType<typeof pb.SendMessageRequest> {
  const { topic, body, deliverAt, now, vendorProperty } = out;
  const system = new pb.SystemProperties()
    .setMessageId(messageId())
    .setMessageType(pb.MessageType.DELAY) // M1
    .setDeliveryTimestamp(pb.timestamp(Math.max(deliverAt, 1)))
    .setBornTimestamp(pb.timestamp(now))
    .setBornHost('carillon')
    .setBodyEncoding(pb.Encoding.IDENTITY);
  const message = new pb.Message().setTopic(pb.resource(topic)).setSystemProperties(system);
  message.setBody(body.length > 0 ? body : Uint8Array.of(0));
  if (body.length === 0) message.getUserPropertiesMap().set(EMPTY, '1'); // M2
  if (vendorProperty) message.getUserPropertiesMap().set('__STARTDELIVERTIME', String(deliverAt));
  return new pb.SendMessageRequest().setMessagesList([message]);
}

const PROCESS = `01${randomBytes(12).toString('hex').toUpperCase()}`; // version 1, then what makes this process unique
let count = randomBytes(3).readUIntBE(0, 3);

/** A new message id: 17 bytes in hex, as the clients' specification has it; unique across threads and containers too. */
function messageId(): string {
  count = (count + 1) % 2 ** 32;
  return PROCESS + count.toString(16).toUpperCase().padStart(8, '0');
}
