// At the broker: what it keeps of a job, what it sets aside by itself, and the certificate that it makes itself.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Carillon, defineTask, implement, silentLogger, type TaskDefinition } from '@carillon/core';
import type { Transport } from '@carillon/core/spi';
import { embeddedLedger } from '@carillon/embedded';
import { rocketmq, rocketmqAdmin } from '@carillon/rocketmq';
import { type RocketmqServer, startRocketmq } from '@carillon/services';
import { describeWith } from '@carillon/services/testing';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

const REQUEST = { queue: 'default', max: 1, leaseMs: 60_000, holder: 'test' };
const LARGE = 'x'.repeat(200 * 1024);

let server: RocketmqServer;
let places = 0;

const IN_SOAK = process.env['SOAK_ROCKETMQ'] !== undefined; // which runs what takes long

describeWith(['own rocketmq'], 'what stands at RocketMQ', () => {
  beforeAll(async () => {
    server = await startRocketmq();
  });
  afterAll(() => server.stop());

  /** A transport on a topic of its own; the broker sets a message aside after so many `retries`. */
  async function place(retries?: number): Promise<{ transport: Transport; prefix: string }> {
    const prefix = `at${(places += 1)}-`;
    const nameServer = `127.0.0.1:${server.ports.nameserver}`;
    await rocketmqAdmin({ nameServer, prefix, ...(retries !== undefined && { retries }) }).provision(['default']);
    return { transport: rocketmq({ endpoint: server.endpoint, prefix }), prefix };
  }

  /** An engine on it, and how long each message that it sends is. */
  async function start(tasks: readonly TaskDefinition[]) {
    const { transport } = await place();
    const lengths: number[] = [];
    const send = transport.send.bind(transport);
    transport.send = (messages) => {
      for (const { body } of messages) lengths.push(body.byteLength);
      return send(messages);
    };
    const folder = mkdtempSync(join(tmpdir(), 'carillon-at-'));
    const carillon = new Carillon({
      backend: { transport, ledger: embeddedLedger(folder) },
      tasks,
      logger: silentLogger,
    });
    await carillon.start();
    onTestFinished(async () => {
      await carillon.stop();
      rmSync(folder, { recursive: true });
    });
    return { carillon, lengths };
  }

  /** A task, and what its handler is given first. */
  function work(record: 'on-schedule' | 'on-claim') {
    const task = defineTask<string>('work', { record });
    let given: (payload: string) => void;
    const payload = new Promise<string>((resolve) => (given = resolve));
    return { task, handler: implement(task, (text) => given(text)), payload };
  }

  test('a message refers to a large payload, which stays in the ledger', async () => {
    const { task, handler, payload } = work('on-schedule');
    const { carillon, lengths } = await start([handler]);
    await carillon.schedule(task, LARGE);
    expect(await payload).toBe(LARGE);
    expect(Math.max(...lengths)).toBeLessThan(1_024);
  });

  test('an on-claim job is its message alone, until it runs', async () => {
    const { task, handler, payload } = work('on-claim');
    const { carillon, lengths } = await start([handler]);
    const { outcome } = await carillon.schedule(task, LARGE, { in: '3s' });
    expect(outcome).toBe('sent');
    expect(await carillon.list({})).toMatchObject({ jobs: [] });
    expect(lengths).toEqual([expect.closeTo(LARGE.length, -3)]);
    expect(await payload).toBe(LARGE);
  });

  test.each(['on-schedule', 'on-claim'] as const)(
    'a payload that is too long is refused before anything is written or sent (%s)',
    async (record) => {
      const { task, handler } = work(record);
      const { carillon, lengths } = await start([handler]);
      await expect(carillon.schedule(task, LARGE + LARGE)).rejects.toMatchObject({
        code: 'E_PAYLOAD_SIZE',
        next: expect.stringContaining('pass its id'),
      });
      expect(lengths).toEqual([]);
      expect(await carillon.list({})).toMatchObject({ jobs: [] });
    },
  );

  /** Gives one message back so many times, as soon as it comes; answers with the deliveries' numbers. */
  async function giveBack(transport: Transport, times: number): Promise<number[]> {
    await transport.open(['default']);
    onTestFinished(() => transport.close());
    await transport.send([{ id: 'a', queue: 'default', body: Buffer.from('a'), deliverAt: 0 }]);
    const attempts: number[] = [];
    const { signal } = new AbortController();
    while (attempts.length < times) {
      for (const delivery of await transport.receive({ ...REQUEST, signal })) {
        attempts.push(delivery.attempt);
        await delivery.release(0);
      }
    }
    return attempts;
  }

  if (IN_SOAK) {
    test('nothing comes into the dead-letter topic, however often it is given back', { timeout: 170_000 }, async () => {
      const [usual, few] = [await place(), await place(1)];
      const usuallyTimes = 18; // a group that nobody has set up allows 17
      const given = giveBack(usual.transport, usuallyTimes);
      await giveBack(few.transport, 2);
      const wait = new AbortController();
      const third = few.transport.receive({ ...REQUEST, signal: wait.signal }); // the proxy sets aside what is asked for
      expect(await given).toEqual(Array.from({ length: usuallyTimes }, (_, index) => index + 1));
      wait.abort();
      expect(await third).toEqual([]);
      const topics = await server.admin('topicList');
      expect(topics).toContain(`%DLQ%${few.prefix}default`); // so it would be seen
      expect(topics).not.toContain(`%DLQ%${usual.prefix}default`);
    });
  }

  test('the certificate of a proxy in TLS test mode is trusted by nobody, and the error says so', async () => {
    const endpoint = `localhost:${server.ports.grpc}`;
    const transport = rocketmq({ endpoint, prefix: 'at-', tls: true, startTimeout: '3s' });
    await expect(transport.open()).rejects.toMatchObject({
      code: 'E_BROKER',
      cause: { message: expect.stringContaining('self-signed') },
    });
    await transport.close();
  });
});
