// Engine: whole jobs over RocketMQ, with the embedded store as their ledger: what the bookkeeping costs, and how punctual
// they are.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Carillon, defineTask, implement, silentLogger } from '@carillon/core';
import { embeddedLedger } from '@carillon/embedded';
import { rocketmq } from '@carillon/rocketmq';

const task = defineTask<number>('job');
const CONCURRENCY = 256;
const LEAD_MS = 10_000;

/** Where jobs run. */
export interface Place {
  readonly endpoint: string;
  readonly prefix: string;
}

/** An engine on RocketMQ, in a folder of its own. */
async function open({ endpoint, prefix }: Place, handle: (payload: number) => void, concurrency: number) {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-bench-'));
  const carillon = new Carillon({
    backend: { transport: rocketmq({ endpoint, prefix }), ledger: embeddedLedger(folder) },
    tasks: concurrency > 0 ? [implement(task, handle)] : [],
    ...(concurrency > 0 && { concurrency }),
    logger: silentLogger,
  });
  await carillon.start();
  const close = async () => {
    await carillon.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { carillon, close };
}

/** How late each of so many jobs per second starts, in ms, in ascending order. */
export async function latenessOfJobs(place: Place, perSecond: number, seconds: number): Promise<number[]> {
  const lateMs: number[] = [];
  const count = perSecond * seconds;
  let finish: () => void;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const handle = (dueAt: number) => {
    lateMs.push(Date.now() - dueAt);
    if (lateMs.length === count) finish();
  };
  const { carillon, close } = await open(place, handle, CONCURRENCY);
  const calls = (base: number, first: number, size: number) =>
    Array.from({ length: size }, (_, k) => {
      const dueAt = Math.floor(base + ((first + k) * 1000) / perSecond);
      return { task, payload: dueAt, options: { at: new Date(dueAt) } };
    });
  const base = Date.now() + LEAD_MS;
  for (let first = 0; first < count; first += 500)
    await carillon.scheduleMany(calls(base, first, Math.min(500, count - first)));
  await finished;
  await close();
  if (lateMs.some((late) => late < 0)) throw new Error('A job started early.');
  return lateMs.toSorted((a, b) => a - b);
}

/** How late each of so many messages per second arrives, in ms, in ascending order. */
export async function latenessOfMessages(
  { endpoint, prefix }: Place,
  perSecond: number,
  seconds: number,
): Promise<number[]> {
  const transport = rocketmq({ endpoint, prefix });
  await transport.open(['default']);
  const count = perSecond * seconds;
  const base = Date.now() + LEAD_MS;
  const messages = Array.from({ length: count }, (_, index) => {
    const deliverAt = Math.floor(base + (index * 1000) / perSecond);
    return { id: String(index), queue: 'default', body: Buffer.from(String(deliverAt)), deliverAt };
  });
  await transport.send(messages);
  const lateMs: number[] = [];
  const { signal } = new AbortController();
  const acks: Promise<unknown>[] = [];
  while (lateMs.length < count) {
    const request = { queue: 'default', max: CONCURRENCY, leaseMs: 60_000, holder: 'bench', signal };
    for (const delivery of await transport.receive(request)) {
      lateMs.push(Date.now() - Number(Buffer.from(delivery.body).toString()));
      acks.push(delivery.ack());
    }
  }
  await Promise.all(acks);
  await transport.close();
  return lateMs.toSorted((a, b) => a - b);
}

/** Works off so many due no-op jobs; answers with what that took of this process. */
export async function drainJobs(place: Place, count: number): Promise<{ perSecond: number; cpuUs: number }> {
  let runs = 0;
  let finish: () => void;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const { carillon, close } = await open(place, () => {}, CONCURRENCY);
  carillon.on('job:completed', () => {
    runs += 1;
    if (runs === count) finish();
  });
  await carillon.pause({ queue: 'default' });
  for (let first = 0; first < count; first += 500) {
    const size = Math.min(500, count - first);
    await carillon.scheduleMany(Array.from({ length: size }, (_, k) => ({ task, payload: first + k })));
  }
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await carillon.resume({ queue: 'default' });
  await finished;
  const { user, system } = process.cpuUsage(before);
  const perSecond = (count / (performance.now() - startedAt)) * 1000;
  await close();
  return { perSecond, cpuUs: (user + system) / count };
}
