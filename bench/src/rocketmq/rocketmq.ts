// The suite `rocketmq`: our transport beside the stock client on one real broker, in turns, and how punctual jobs are on it.

import { rocketmqAdmin } from '@carillon/rocketmq';
import { startRocketmq } from '@carillon/services';
import { median } from '../measure.js';
import type { Row, Suite } from '../report.js';
import { type ClientName, openClient } from './clients.js';
import { drainJobs, latenessOfJobs, latenessOfMessages, type Place } from './engine.js';

const PEER: ClientName = 'stock client';
const WORKS = ['throughput', 'engine', 'lateness'];

interface Cost {
  readonly perSecond: number;
  readonly cpuUs: number;
}

async function costOf(count: number, work: (count: number) => Promise<void>): Promise<Cost> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work(count);
  const { user, system } = process.cpuUsage(before);
  return { perSecond: (count / (performance.now() - startedAt)) * 1000, cpuUs: (user + system) / count };
}

/** Measures throughput beside the stock client, then whole jobs. */
export const rocketmqSuite: Suite = async function* ({ runs, quick, only, install, progress }) {
  if (only !== undefined && !WORKS.includes(only)) throw new Error(`No work '${only}'. Works: ${WORKS.join(', ')}.`);
  const wanted = (work: string) => only === undefined || only === work;
  const server = await startRocketmq({ install });
  let places = 0;
  const freshPlace = async (): Promise<Place> => {
    places += 1;
    const prefix = `bench-${places}-`;
    await rocketmqAdmin({ nameServer: `127.0.0.1:${server.ports.nameserver}`, prefix }).provision(['default']);
    return { endpoint: server.endpoint, prefix };
  };
  process.on('uncaughtException', forgiveStockClient);
  try {
    if (wanted('throughput')) yield* throughput(quick ? 500 : 10_000, runs, freshPlace, progress);
    if (wanted('engine')) yield* engine(quick ? 300 : 5_000, runs, freshPlace, progress);
    if (wanted('lateness')) yield* lateness(quick ? 100 : 500, quick ? 3 : 20, runs, freshPlace);
  } finally {
    await server.stop();
  }
};

/** The stock client throws out of nowhere when a connection ends after its shutdown; that must not end the benchmark. */
function forgiveStockClient(error: Error): void {
  if (error.message.startsWith('14 UNAVAILABLE') && error.stack?.includes('rocketmq-client-nodejs')) return;
  console.error(error);
  process.exit(1);
}

async function* throughput(
  count: number,
  runs: number,
  freshPlace: () => Promise<Place>,
  progress: (line: string) => void,
): AsyncIterable<Row> {
  const measured = { send: new Map<ClientName, Cost[]>(), consume: new Map<ClientName, Cost[]>() };
  for (let run = 0; run <= runs; run += 1) {
    const order = run % 2 === 0 ? (['Carillon', PEER] as const) : ([PEER, 'Carillon'] as const); // who is first pays for both
    for (const name of order) {
      const { endpoint, prefix } = await freshPlace();
      const client = await openClient(name, endpoint, prefix);
      const send = await costOf(run === 0 ? Math.ceil(count / 2) : count, (size) => client.send(size));
      const consume = await costOf(run === 0 ? Math.ceil(count / 2) : count, (size) => client.consume(size));
      await client.close();
      if (run === 0) continue; // warms up
      measured.send.set(name, [...(measured.send.get(name) ?? []), send]);
      measured.consume.set(name, [...(measured.consume.get(name) ?? []), consume]);
      progress(`${name}, run ${run} of ${runs}: ${text('sent', send)}; ${text('consumed', consume)}`);
    }
  }
  yield beside('send, 64 in flight', 'messages/s', measured.send, ({ perSecond }) => perSecond, 'higher', 0.95);
  yield beside('send, CPU per message', 'µs', measured.send, ({ cpuUs }) => cpuUs, 'lower', null);
  yield beside('receive and ack', 'messages/s', measured.consume, ({ perSecond }) => perSecond, 'higher', 1.5);
  yield beside('receive and ack, CPU per message', 'µs', measured.consume, ({ cpuUs }) => cpuUs, 'lower', 2);
}

async function* engine(
  count: number,
  runs: number,
  freshPlace: () => Promise<Place>,
  progress: (line: string) => void,
): AsyncIterable<Row> {
  const costs: Cost[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const cost = await drainJobs(await freshPlace(), count);
    costs.push(cost);
    progress(`jobs, run ${run} of ${runs}: ${text('drained', cost)}`);
  }
  const alone = { peer: null, peerName: null, ratio: null, goal: null };
  yield { work: 'drain no-op jobs', unit: 'jobs/s', ours: median(costs.map(({ perSecond }) => perSecond)), ...alone };
  yield { work: 'drain, CPU per job', unit: 'µs', ours: median(costs.map(({ cpuUs }) => cpuUs)), ...alone };
}

async function* lateness(
  perSecond: number,
  seconds: number,
  runs: number,
  freshPlace: () => Promise<Place>,
): AsyncIterable<Row> {
  const before: number[][] = [];
  const after: number[][] = [];
  for (let run = 0; run < runs; run += 1) {
    before.push(await latenessOfMessages(await freshPlace(), perSecond, seconds));
    after.push(await latenessOfJobs(await freshPlace(), perSecond, seconds));
  }
  for (const [name, share] of [
    ['p50', 0.5],
    ['p99', 0.99],
    ['max', 1],
  ] as const) {
    const at = (all: readonly number[][]) => median(all.map((sorted) => sorted[Math.ceil(sorted.length * share) - 1]!));
    const [ours, peer] = [at(after), at(before)];
    const work = `lateness ${name}, ${perSecond} due per second`;
    const goal = name === 'p99' ? '<= 10' : null;
    yield { work, unit: 'ms', ours, peer, peerName: 'before landing', ratio: peer / Math.max(ours, 1), goal };
  }
}

function beside(
  work: string,
  unit: string,
  costs: ReadonlyMap<ClientName, readonly Cost[]>,
  figure: (cost: Cost) => number,
  better: 'higher' | 'lower',
  goal: number | null,
): Row {
  const of = (name: ClientName) => median((costs.get(name) ?? []).map(figure));
  const [ours, peer] = [of('Carillon'), of(PEER)];
  return { work, unit, ours, peer, peerName: PEER, ratio: better === 'higher' ? ours / peer : peer / ours, goal };
}

function text(what: string, { perSecond, cpuUs }: Cost): string {
  return `${what} ${Math.round(perSecond)}/s at ${Math.round(cpuUs)} µs of CPU`;
}
