// Faults of a real RocketMQ and of the network to it: every accepted job completes once (I2, I3), though the broker replays
// messages after it was killed, and answers get lost.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Carillon, defineTask, implement, silentLogger } from '@carillon/core';
import { embeddedLedger } from '@carillon/embedded';
import { rocketmq, rocketmqAdmin } from '@carillon/rocketmq';
import { type RocketmqServer, startRocketmq, startTcpProxy, type TcpProxy } from '@carillon/services';
import { describeWith } from '@carillon/services/testing';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

const JOBS = 2_000;
const SPREAD_MS = 8_000;

const task = defineTask<number>('work');

let server: RocketmqServer;
let network: TcpProxy;
const endings: (() => Promise<void>)[] = [];
let stages = 0;

const IN_SOAK = process.env['SOAK_ROCKETMQ'] !== undefined; // which runs what takes long

describeWith(['own rocketmq'], 'faults of RocketMQ and of the network to it', () => {
  beforeAll(async () => {
    server = await startRocketmq();
    network = await startTcpProxy({ target: server.ports.grpc });
  });
  afterEach(async () => {
    await network.heal();
    for (const end of endings.splice(0).toReversed()) await end();
  });
  afterAll(async () => {
    await network.stop();
    await server.stop();
  });

  /** An engine on the broker (through the network that fails on demand), and what it has run. */
  async function stage() {
    stages += 1;
    const prefix = `faults-${stages}-`;
    const folder = mkdtempSync(join(tmpdir(), 'carillon-faults-'));
    await rocketmqAdmin({ nameServer: `127.0.0.1:${server.ports.nameserver}`, prefix }).provision(['default']);
    const runs = new Map<number, number>();
    const progress = { done: 0, wake: () => {} };
    const handler = implement(task, (index) => void runs.set(index, (runs.get(index) ?? 0) + 1));
    const transport = rocketmq({ endpoint: `127.0.0.1:${network.port}`, prefix });
    const carillon = new Carillon({
      backend: { transport, ledger: embeddedLedger(folder) },
      tasks: [handler],
      concurrency: 200,
      logger: silentLogger,
    });
    carillon.on('job:completed', () => {
      progress.done += 1;
      progress.wake();
    });
    await carillon.start();
    endings.push(async () => {
      await carillon.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    /** Schedules jobs that come due over some seconds, by default beginning in two; resolves when all are accepted. */
    const scheduleAll = async (count: number, inMs = 2_000) => {
      const base = Date.now() + inMs;
      for (let first = 0; first < count; first += 200) {
        const calls = Array.from({ length: Math.min(200, count - first) }, (_, k) => {
          const at = new Date(base + ((first + k) * SPREAD_MS) / count);
          return { task, payload: first + k, options: { at } };
        });
        await carillon.scheduleMany(calls);
      }
    };
    const completed = async (count: number) => {
      while (progress.done < count) await new Promise<void>((resolve) => (progress.wake = resolve));
    };
    /** Fails unless each of so many jobs ran once, and is done. */
    const expectOnce = async (count: number) => {
      expect([...runs.values()].filter((times) => times !== 1)).toEqual([]);
      expect(runs.size).toBe(count);
      const open = await carillon.list({ states: ['scheduled', 'dead', 'indeterminate'] });
      expect(open.jobs).toEqual([]);
      expect(progress.done).toBe(count);
    };
    return { carillon, transport, runs, scheduleAll, completed, expectOnce };
  }

  test('proxy and broker are killed and started again while 2,000 jobs are pending and being sent', async () => {
    const { scheduleAll, completed, expectOnce } = await stage();
    const accepted = scheduleAll(JOBS);
    await completed(JOBS / 10);
    await server.broker.kill();
    await server.broker.restart();
    await accepted;
    await completed(JOBS);
    await expectOnce(JOBS);
  });

  test('connections are cut again and again, and refused for a while', async () => {
    const { scheduleAll, completed, expectOnce } = await stage();
    const accepted = scheduleAll(JOBS);
    for (const share of [0.1, 0.2, 0.3]) {
      await completed(JOBS * share);
      network.cut();
    }
    await network.refuse();
    await sleep(3_000);
    await network.heal();
    await accepted;
    await completed(JOBS);
    await expectOnce(JOBS);
  });

  if (IN_SOAK) {
    test('connections stay open, and nothing comes through them for half a minute', async () => {
      const { scheduleAll, completed, expectOnce } = await stage();
      await scheduleAll(200);
      await completed(20);
      network.freeze();
      await sleep(30_000);
      await network.heal();
      await completed(200);
      await expectOnce(200);
    });
  }

  test('the reply to a send is dropped', async () => {
    const { carillon, completed, expectOnce } = await stage();
    const id = 'the-one-whose-reply-is-lost';
    const dropped = network.dropNextReply(id);
    await carillon.schedule(task, 0, { id, in: '2s' });
    await dropped;
    await completed(1);
    await sleep(8_000); // its copy comes meanwhile
    await expectOnce(1);
  });

  test('the broker loses every message, and all that it knew but topics and groups', async () => {
    const { carillon, scheduleAll, completed, expectOnce } = await stage();
    await scheduleAll(200, 20_000);
    await server.broker.kill();
    const store = join(server.folder, 'store');
    const kept = ['topics.json', 'subscriptionGroup.json'];
    const lost = readdirSync(store, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && !kept.includes(entry.name),
    );
    for (const { parentPath, name } of lost) rmSync(join(parentPath, name));
    let copies = 0;
    carillon.on('sweep:done', ({ resent }) => (copies += resent));
    await server.broker.restart();
    await completed(200);
    await expectOnce(200);
    expect(copies).toBeGreaterThanOrEqual(200);
  });
});
