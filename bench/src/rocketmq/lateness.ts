// Lateness: how late jobs start that are due evenly spread, how late their bare messages come, and how late this machine's
// bare timers fire meanwhile, in a thread of their own.
//
// P1  All jobs are at the broker before the worker starts, so only their arrival and their starts are measured.
// P2  The first seconds warm the process up and do not count.
// P3  A job that starts early fails the measurement.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { rocketmq } from '@carillon/rocketmq';
import { openEngine, type Place, produce } from './worker.js';

/** What was late, by how many ms, in ascending order. */
export interface Lateness {
  readonly jobs: readonly number[];
  /** Bare timers of another thread at the same time: what the machine itself adds. */
  readonly timers: readonly number[];
}

const LEAD_MS = 20_000; // placing 12,500 jobs takes 6 s on a quiet machine
const WARM_UP_SECONDS = 5;
const STARTED_BEFORE_MS = 2_000;
const TIMERS = `
  const { parentPort, workerData } = require('node:worker_threads');
  const late = [];
  const next = (due) => {
    if (due > workerData.until) parentPort.postMessage(late);
    else setTimeout(() => { late.push(Date.now() - due); next(Math.max(due + 20, Date.now())); }, due - Date.now());
  };
  next(workerData.from);
`;

/** How late each of so many jobs per second starts. */
export async function latenessOfJobs(place: Place, perSecond: number, seconds: number): Promise<Lateness> {
  const count = perSecond * (seconds + WARM_UP_SECONDS);
  const first = Date.now() + LEAD_MS;
  await produce({ place, count, first, perSecond }); // P1
  if (Date.now() > first - STARTED_BEFORE_MS) throw new Error(`Placing ${count} jobs took longer than ${LEAD_MS} ms.`);

  const jobs: number[] = [];
  let runs = 0;
  let finish: () => void;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const measuredFrom = first + WARM_UP_SECONDS * 1000; // P2
  const timers = timersOf(measuredFrom, measuredFrom + seconds * 1000);
  const carillon = await openEngine(place, (dueAt) => {
    if (dueAt >= measuredFrom) jobs.push(Date.now() - dueAt);
    runs += 1;
    if (runs === count) finish();
  });
  await finished;
  const late = await timers;
  await carillon.stop();
  if (jobs.some((lateMs) => lateMs < 0)) throw new Error('A job started early.'); // P3
  return { jobs: jobs.toSorted((a, b) => a - b), timers: late.toSorted((a, b) => a - b) };
}

/** How late bare timers fire, one every 20 ms from then to then. */
async function timersOf(from: number, until: number): Promise<number[]> {
  const thread = new Worker(TIMERS, { eval: true, workerData: { from, until } });
  const [late] = (await once(thread, 'message')) as [number[]];
  return late;
}

/** How late each of so many messages per second arrives, in ms, in ascending order. */
export async function latenessOfMessages(
  { endpoint, prefix }: Pick<Place, 'endpoint' | 'prefix'>,
  perSecond: number,
  seconds: number,
): Promise<number[]> {
  const transport = rocketmq({ endpoint, prefix });
  await transport.open(['default']);
  const count = perSecond * seconds;
  const first = Date.now() + LEAD_MS / 2;
  const messages = Array.from({ length: count }, (_, index) => {
    const deliverAt = Math.floor(first + (index * 1000) / perSecond);
    return { id: String(index), queue: 'default', body: Buffer.from(String(deliverAt)), deliverAt };
  });
  await transport.send(messages);
  const lateMs: number[] = [];
  const { signal } = new AbortController();
  const acks: Promise<unknown>[] = [];
  while (lateMs.length < count) {
    const request = { queue: 'default', max: 256, leaseMs: 60_000, holder: 'bench', signal };
    for (const delivery of await transport.receive(request)) {
      lateMs.push(Date.now() - Number(Buffer.from(delivery.body).toString()));
      acks.push(delivery.ack());
    }
  }
  await Promise.all(acks);
  await transport.close();
  return lateMs.toSorted((a, b) => a - b);
}
