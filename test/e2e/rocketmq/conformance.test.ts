// The conformance suite of transports on a real RocketMQ. Its cases wait for real leases of 10 s and more, so they run side
// by side, each on topics and groups of its own.

import { setTimeout as sleep } from 'node:timers/promises';
import { describeWith } from '@carillon/services/testing';
import { afterAll, beforeAll, describe, vi } from 'vitest';
import { rocketmq, rocketmqAdmin } from '@carillon/rocketmq';
import { type TransportFixture, transportConformance } from '@carillon/testing/conformance';
import { type Broker, needs, openBroker } from './broker.js';

const QUEUES = ['default', 'one', 'two', 'mine', 'other', 'min', 'quiet', 'busy'];

/** A redelivery comes 2 to 4 s after the end of a lease: the broker looks for ended ones every second, and then moves them. */
const SLACK_MS = 6_000;

let broker: Broker;
let fixtures = 0;
let provisioned: Promise<unknown> = Promise.resolve();

vi.setConfig({ maxConcurrency: 60 });
describeWith(needs, 'RocketMQ as a transport', () => {
  beforeAll(async () => {
    broker = await openBroker();
  }, 120_000);
  afterAll(() => broker.close());

  async function open(): Promise<TransportFixture> {
    fixtures += 1;
    const prefix = `c${process.pid}-${Date.now().toString(36)}-${fixtures}-`;
    const admin = rocketmqAdmin({ nameServer: broker.nameServer, prefix, topicQueues: 2, ...broker.access });
    await (provisioned = provisioned.then(() => admin.provision(QUEUES))); // a broker refuses a flood of administration
    const another = async () => {
      const transport = rocketmq({ endpoint: broker.endpoint, prefix, ...broker.access });
      await transport.open();
      return transport;
    };
    const opened = [await another()];
    return {
      transport: opened[0]!,
      advance: (ms) => sleep(ms),
      now: () => Date.now(),
      slackMs: SLACK_MS,
      async second() {
        const transport = await another();
        opened.push(transport);
        return transport;
      },
      async close() {
        await Promise.all(opened.map((transport) => transport.close()));
      },
    };
  }

  describe.concurrent('on a real broker', () => {
    transportConformance('the transport of RocketMQ', { open, timeoutMs: 240_000 });
  });
});
