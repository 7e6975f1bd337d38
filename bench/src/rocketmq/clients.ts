// Clients: our transport and the stock client, driven through one shape: so many messages sent, so many consumed.

import { rocketmq } from '@carillon/rocketmq';
import { Producer, SimpleConsumer } from 'rocketmq-client-nodejs';

/** Which client. */
export type ClientName = 'Carillon' | 'stock client';

/** A client on an empty queue. */
export interface Client {
  /** Sends messages that are due at once, 64 in flight; resolves when all are stored. */
  send(count: number): Promise<void>;
  /** Receives and acknowledges so many; resolves when all are acknowledged. */
  consume(count: number): Promise<void>;
  close(): Promise<void>;
}

const IN_FLIGHT = 64;
const LEASE_MS = 60_000;
const STOCK_LOOPS = 8;
const STOCK_BATCH = 32; // the most that a proxy gives at once
const BODY = Buffer.alloc(300, 'x');
const silent = { info() {}, warn() {}, error() {}, debug() {} };

/** Opens a client on the queue `default` of `prefix`. */
export function openClient(name: ClientName, endpoint: string, prefix: string): Promise<Client> {
  return name === 'Carillon' ? openOurs(endpoint, prefix) : openStock(endpoint, `${prefix}default`);
}

async function openOurs(endpoint: string, prefix: string): Promise<Client> {
  const transport = rocketmq({ endpoint, prefix, sends: IN_FLIGHT });
  await transport.open(['default']);
  return {
    async send(count) {
      await inFlight(count, async (index) => {
        const message = { id: String(index), queue: 'default', body: BODY, deliverAt: 0 };
        const [answer] = await transport.send([message]);
        if (answer?.outcome !== 'sent') throw new Error(`A message was not sent: ${JSON.stringify(answer)}`);
      });
    },
    async consume(count) {
      const { signal } = new AbortController();
      const acks: Promise<unknown>[] = [];
      while (acks.length < count) {
        const request = {
          queue: 'default',
          max: STOCK_LOOPS * STOCK_BATCH,
          leaseMs: LEASE_MS,
          holder: 'bench',
          signal,
        };
        for (const delivery of await transport.receive(request)) acks.push(delivery.ack());
      }
      await Promise.all(acks);
    },
    close: () => transport.close(),
  };
}

async function openStock(endpoints: string, topic: string): Promise<Client> {
  const common = { endpoints, namespace: '', logger: silent };
  const producer = new Producer({ ...common, topics: [topic] });
  const subscriptions = new Map([[topic, '*']]);
  const consumer = new SimpleConsumer({ ...common, consumerGroup: topic, subscriptions, awaitDuration: 5_000 });
  await producer.startup();
  await consumer.startup();
  const past = new Date(1_000);
  let loops: Promise<unknown> = Promise.resolve();
  return {
    async send(count) {
      await inFlight(count, () => producer.send({ topic, body: BODY, deliveryTimestamp: past }));
    },
    consume(count) {
      let [seen, acked] = [0, 0];
      return new Promise((resolve, reject) => {
        const loop = async () => {
          while (seen < count) {
            const messages = await consumer.receive(STOCK_BATCH, LEASE_MS);
            seen += messages.length;
            await Promise.all(messages.map((message) => consumer.ack(message)));
            acked += messages.length;
            if (acked >= count) resolve(); // other loops may still wait for messages that will not come
          }
        };
        loops = Promise.all(Array.from({ length: STOCK_LOOPS }, loop));
        loops.catch(reject);
      });
    },
    async close() {
      await loops;
      await consumer.shutdown();
      await producer.shutdown();
    },
  };
}

async function inFlight(count: number, one: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const loop = async () => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop));
}
