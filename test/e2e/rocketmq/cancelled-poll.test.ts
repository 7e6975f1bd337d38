// A cancelled poll: a worker that stops takes back its long polls, but the broker may hand a message to one of them all the
// same. Such a message must not wait for the end of its lease, and must not count as delivered.

import { rocketmq, rocketmqAdmin } from '@carillon/rocketmq';
import { describeWith } from '@carillon/services/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Broker, needs, openBroker } from './broker.js';

const LEASE_MS = 10 * 60_000; // longer than the test may take
const POLLS = 5;

let broker: Broker;
describeWith(needs, 'a cancelled poll of RocketMQ', () => {
  beforeAll(async () => {
    broker = await openBroker();
  }, 120_000);
  afterAll(() => broker.close());

  test('what it takes is somebody else’s soon, as if it had never been delivered', { timeout: 120_000 }, async () => {
    const prefix = `poll${Date.now().toString(36)}-`;
    await rocketmqAdmin({ nameServer: broker.nameServer, prefix, ...broker.access }).provision(['default']);
    const open = async () => {
      const transport = rocketmq({ endpoint: broker.endpoint, prefix, ...broker.access });
      await transport.open(['default']);
      return transport;
    };
    const { signal } = new AbortController();
    const request = { queue: 'default', max: 1, leaseMs: LEASE_MS, holder: 'test', signal };
    const ids = Array.from({ length: POLLS }, (_, index) => `${index}`);

    const stopping = await Promise.all(ids.map(() => open()));
    const waits = stopping.map((transport) => transport.receive(request));
    await new Promise((resolve) => setImmediate(resolve)); // the polls are on their way
    await Promise.all(stopping.map((transport) => transport.close()));
    expect((await Promise.all(waits)).flat()).toEqual([]);

    const heir = await open();
    await heir.send(ids.map((id) => ({ id, queue: 'default', body: Buffer.from(id), deliverAt: 0 })));
    const came: { body: string; attempt: number }[] = [];
    while (came.length < ids.length) {
      for (const delivery of await heir.receive({ ...request, max: POLLS })) {
        came.push({ body: Buffer.from(delivery.body).toString(), attempt: delivery.attempt });
        await delivery.ack();
      }
    }
    expect(came.toSorted((a, b) => a.body.localeCompare(b.body))).toEqual(ids.map((body) => ({ body, attempt: 1 })));
    await heir.close();
  });
});
