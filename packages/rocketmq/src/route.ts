// Route: which brokers hold a topic, and whether it takes delayed messages.

import type { Client } from './channel.js';
import { BrokerFailure, failureFrom, failureOf, topicMissing, wrongTopicType } from './failure.js';
import { Address, AddressScheme, Code, Endpoints, MessageType, QueryRouteRequest, resource } from './protocol.js';

/** The names of the brokers that hold a topic. */
export type Route = readonly string[];

/** Asks for a topic's brokers; throws what is wrong with the topic. */
export async function queryRoute(channel: Client, topic: string, endpoint: string, timeoutMs: number): Promise<Route> {
  const request = new QueryRouteRequest().setTopic(resource(topic)).setEndpoints(endpointsOf(endpoint));
  const response = await channel.call('queryRoute', request, timeoutMs).catch((error: unknown) => {
    throw failureFrom(error);
  });
  const failure = failureOf(response.getStatus()?.toObject());
  if (failure?.code === Code.TOPIC_NOT_FOUND) throw topicMissing(topic, failure);
  if (failure !== undefined) throw failure;

  const queues = response.getMessageQueuesList();
  const accepted = queues.flatMap((queue) => queue.getAcceptMessageTypesList());
  if (accepted.length > 0 && !accepted.includes(MessageType.DELAY)) throw wrongTopicType(topic);
  const brokers = new Set(queues.map((queue) => queue.getBroker()?.getName() ?? ''));
  if (brokers.size === 0) throw new BrokerFailure('setup', `No broker holds ${topic}.`, undefined);
  return [...brokers];
}

function endpointsOf(endpoint: string): InstanceType<typeof Endpoints> {
  const at = endpoint.lastIndexOf(':');
  const address = new Address().setHost(endpoint.slice(0, at)).setPort(Number(endpoint.slice(at + 1)));
  const scheme = /^[\d.]+$/.test(endpoint.slice(0, at)) ? AddressScheme.IPV4 : AddressScheme.DOMAIN_NAME;
  const endpoints = new Endpoints().setScheme(scheme);
  endpoints.addAddresses(address);
  return endpoints;
}
