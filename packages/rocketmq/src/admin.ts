// Admin: creates the topics and consumer groups of queues, for development and tests. In production, create them with the
// broker's own tools and the settings that docs/rocketmq.md names.

import { CarillonError } from '@carillon/core/spi';
import { type Credentials, signedFields } from './credentials.js';
import { topicOf } from './names.js';
import { Remoting, type RemotingRequest, type RemotingResponse } from './remoting.js';

/** Where the name server is, and how topics are named. */
export interface RocketmqAdminOptions {
  /** Host and port of the name server: `'127.0.0.1:9876'`. */
  readonly nameServer: string;
  /** As in `rocketmq({ prefix })`. */
  readonly prefix?: string;
  /** Of a user who may administer, if the broker has access control. */
  readonly credentials?: Credentials;
  /** Queues of one topic, for reading and writing. Default 8. */
  readonly topicQueues?: number;
  /** How often the broker delivers a message before it sets it aside itself. Default 1000. */
  readonly retries?: number;
}

/** Creates what a transport needs. */
export interface RocketmqAdmin {
  /** Creates topic and consumer group of each queue, on every broker; what exists already is left with these settings. */
  provision(queues: readonly string[]): Promise<void>;
}

const CREATE_TOPIC = 17;
const CREATE_GROUP = 200;
const CLUSTER_INFO = 106;
const TIMEOUT_MS = 10_000;

/** An administrator of the brokers that a name server knows. */
export function rocketmqAdmin(options: RocketmqAdminOptions): RocketmqAdmin {
  const { nameServer, prefix = 'carillon-', topicQueues = 8, retries = 1000, credentials } = options;
  return {
    async provision(queues) {
      const brokers = await masters(nameServer, credentials);
      if (brokers.length === 0) throw failed(`The name server ${nameServer} knows no broker.`);
      const names = queues.map((queue) => topicOf(prefix, queue));
      const requests = names.flatMap((name) => [createTopic(name, topicQueues), createGroup(name, retries)]);
      await Promise.all(brokers.map((broker) => ask(broker, requests, credentials)));
    },
  };
}

async function masters(nameServer: string, credentials: Credentials | undefined): Promise<string[]> {
  const [answer] = await ask(nameServer, [{ code: CLUSTER_INFO }], credentials);
  const text = (answer?.body.toString() ?? '{}').replace(/([{,])(\d+):/g, '$1"$2":'); // its JSON has bare numbers as keys
  const info = JSON.parse(text) as { brokerAddrTable?: Record<string, { brokerAddrs: Record<string, string> }> };
  return Object.values(info.brokerAddrTable ?? {}).flatMap(({ brokerAddrs }) => brokerAddrs['0'] ?? []);
}

async function ask(
  address: string,
  requests: readonly RemotingRequest[],
  credentials: Credentials | undefined,
): Promise<RemotingResponse[]> {
  const connection = new Remoting(address, TIMEOUT_MS);
  try {
    const answers: RemotingResponse[] = [];
    for (const request of requests) {
      const answer = await connection.call(signed(request, credentials)); // one after the other: brokers refuse a flood of administration
      if (answer.code !== 0) throw failed(`RocketMQ answered ${answer.code}: ${answer.remark}`);
      answers.push(answer);
    }
    return answers;
  } catch (error) {
    if (CarillonError.is(error)) throw error;
    throw failed(`RocketMQ could not be asked at ${address}.`, error);
  } finally {
    connection.close();
  }
}

function signed(request: RemotingRequest, credentials: Credentials | undefined): RemotingRequest {
  if (credentials === undefined) return request;
  const { extFields = {}, body = Buffer.alloc(0) } = request;
  return { ...request, extFields: signedFields(extFields, body, credentials) };
}

function createTopic(topic: string, queues: number): RemotingRequest {
  return {
    code: CREATE_TOPIC,
    extFields: {
      topic,
      defaultTopic: 'TBW102',
      readQueueNums: String(queues),
      writeQueueNums: String(queues),
      perm: '6',
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: '0',
      order: 'false',
      attributes: '+message.type=DELAY',
    },
  };
}

function createGroup(groupName: string, retryMaxTimes: number): RemotingRequest {
  const config = { groupName, consumeEnable: true, retryQueueNums: 1, retryMaxTimes, brokerId: 0 };
  return { code: CREATE_GROUP, body: Buffer.from(JSON.stringify(config)) };
}

function failed(message: string, cause?: unknown): CarillonError {
  const next = 'Check the address of the name server (usually port 9876), and that brokers are registered with it.';
  return new CarillonError('E_BROKER', message, { next, cause });
}
