// Life cycle: a process with a transport ends by itself, leaves no file behind in its home, and survives its broker; one that
// is killed is taken over from.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Carillon, defineTask, silentLogger } from '@carillon/core';
import { embeddedLedger } from '@carillon/embedded';
import { rocketmq, rocketmqAdmin } from '@carillon/rocketmq';
import { type RocketmqServer, startRocketmq } from '@carillon/services';
import { describeWith } from '@carillon/services/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

const WORKER = join(import.meta.dirname, '../../dist/e2e/rocketmq/worker-process.js');
const task = defineTask<number>('work');

type News = { readonly is: string; readonly index?: number; readonly idempotencyKey?: string };

let server: RocketmqServer;
let place: string;
let prefix: string;
let workers: ChildProcess[];

describeWith(['own rocketmq'], 'the life of a process on RocketMQ', () => {
  beforeAll(async () => {
    server = await startRocketmq();
  });
  beforeEach(async () => {
    workers = [];
    place = mkdtempSync(join(tmpdir(), 'carillon-life-'));
    mkdirSync(join(place, 'home'));
    prefix = `life${Date.now().toString(36)}-`;
    await rocketmqAdmin({ nameServer: `127.0.0.1:${server.ports.nameserver}`, prefix }).provision(['default']);
  });
  afterEach(() => {
    for (const worker of workers) worker.kill('SIGKILL');
    rmSync(place, { recursive: true, force: true });
  });
  afterAll(() => server.stop());

  /** Starts a worker; resolves when it is ready. */
  async function start(workMs: number) {
    const env = { ...process.env, HOME: join(place, 'home') };
    const args = [server.endpoint, prefix, join(place, 'ledger'), String(workMs)];
    const child = fork(WORKER, args, { env, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    workers.push(child);
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const heard: News[] = [];
    child.on('message', (news: News) => {
      heard.push(news);
      for (const wait of waits) wait();
    });
    const waits = new Set<() => void>();
    let over = false;
    const exited = once(child, 'exit').then(([code]) => {
      over = true;
      for (const wait of waits) wait();
      return code as number | null;
    });
    const until = async (is: string, count = 1) => {
      while (heard.filter((news) => news.is === is).length < count) {
        if (over) throw new Error(`The worker ended before it told "${is}". ${said}`);
        await new Promise<void>((resolve) => waits.add(resolve));
      }
    };
    const stop = async () => {
      child.send('stop');
      const code = await exited;
      return { code, said };
    };
    await until('ready');
    return { child, heard, until, stop };
  }

  /** Schedules jobs from this process. */
  async function schedule(count: number) {
    const transport = rocketmq({ endpoint: server.endpoint, prefix });
    const producer = new Carillon({
      backend: { transport, ledger: embeddedLedger(join(place, 'ledger')) },
      logger: silentLogger,
    });
    await producer.start();
    for (let index = 0; index < count; index += 1) await producer.schedule(task, index);
    return producer;
  }

  test('a process ends by itself after its stop, and has written nothing to its home', async () => {
    const worker = await start(0);
    const producer = await schedule(3);
    await worker.until('done', 3);
    expect(await worker.stop()).toEqual({ code: 0, said: '' });
    expect(readdirSync(join(place, 'home'))).toEqual([]);
    await producer.stop();
  });

  test('so it does when the broker has died meanwhile: no hang, no uncaught error', async () => {
    const worker = await start(0);
    const producer = await schedule(1);
    await worker.until('done');
    await server.broker.kill();
    expect(await worker.stop()).toEqual({ code: 0, said: '' });
    await producer.stop();
    await server.broker.restart();
  });

  test('a worker goes on after its broker was gone', async () => {
    const worker = await start(0);
    const first = await schedule(1);
    await worker.until('done');
    await first.stop();
    await server.broker.kill();
    await server.broker.restart();
    const second = await schedule(2);
    await worker.until('done', 3);
    await worker.stop();
    await second.stop();
  });

  test('the jobs of a killed worker run on another: done once, begun again under the same key', async () => {
    const [doomed, heir] = [await start(1_000), await start(1_000)];
    const jobs = 30;
    const producer = await schedule(jobs);
    await doomed.until('start', 3);
    doomed.child.kill('SIGKILL');
    const finished = () => heir.heard.filter(({ is }) => is === 'done').length;
    const before = () => doomed.heard.filter(({ is }) => is === 'done').length;
    for (let at = 1; finished() + before() < jobs; at += 1) await heir.until('done', at);

    const news = [...doomed.heard, ...heir.heard];
    const keys = new Map<number, Set<string>>();
    for (const { is, index, idempotencyKey } of news) {
      if (is === 'start') keys.set(index!, (keys.get(index!) ?? new Set()).add(idempotencyKey!));
    }
    expect([...keys.values()].map(({ size }) => size)).toEqual(Array.from({ length: jobs }, () => 1));
    expect(news.filter(({ is }) => is === 'done')).toHaveLength(jobs);
    await heir.stop();
    await producer.stop();
  });
});
