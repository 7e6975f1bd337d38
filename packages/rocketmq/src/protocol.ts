// Protocol: the generated classes of the stock client, which are all that this package uses of it, and the two kinds of
// time that they speak. Why not its producer and consumers: docs/adr, "Our own session over the stock client's protocol".

import durations from 'google-protobuf/google/protobuf/duration_pb.js';
import timestamps from 'google-protobuf/google/protobuf/timestamp_pb.js';
import definition from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb.js';
import stub from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_grpc_pb.js';
import service from 'rocketmq-client-nodejs/proto/apache/rocketmq/v2/service_pb.js';

export const {
  Address,
  AddressScheme,
  Broker,
  ClientType,
  Code,
  Encoding,
  Endpoints,
  FilterExpression,
  FilterType,
  Language,
  Message,
  MessageQueue,
  MessageType,
  Resource,
  Settings,
  Status,
  Subscription,
  SubscriptionEntry,
  SystemProperties,
  UA,
} = definition;

export const {
  AckMessageEntry,
  AckMessageRequest,
  ChangeInvisibleDurationRequest,
  HeartbeatRequest,
  NotifyClientTerminationRequest,
  QueryRouteRequest,
  RecallMessageRequest,
  ReceiveMessageRequest,
  ReceiveMessageResponse,
  SendMessageRequest,
  TelemetryCommand,
} = service;

export const { MessagingServiceClient, MessagingServiceService } = stub;

/** A name of the broker's: of a topic, or of a consumer group. */
export function resource(name: string): InstanceType<typeof Resource> {
  return new Resource().setName(name);
}

/** A length of time. */
export function duration(ms: number): InstanceType<typeof durations.Duration> {
  const value = new durations.Duration();
  value.setSeconds(Math.floor(ms / 1000));
  value.setNanos((Math.floor(ms) % 1000) * 1_000_000);
  return value;
}

/** A point in time. */
export function timestamp(instant: number): InstanceType<typeof timestamps.Timestamp> {
  const value = new timestamps.Timestamp();
  value.setSeconds(Math.floor(instant / 1000));
  value.setNanos((Math.floor(instant) % 1000) * 1_000_000);
  return value;
}
