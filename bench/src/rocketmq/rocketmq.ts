// The suite `rocketmq`: our transport beside the stock client on one real broker, in turns, and how punctual jobs are on it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rocketmqAdmin } from '@carillon/rocketmq';
import { startRedis, startRocketmq } from '@carillon/services';
import { median } from '../measure.js';
import type { Row, Suite } from '../report.js';
import { type ClientName, openClient } from './clients.js';
import { drainJobs } from './drain.js';
import { type Lateness, latenessOfJobs, latenessOfMessages } from './lateness.js';
import type { LedgerName, Place } from './worker.js';

const PEER: ClientName = 'stock client';
const LEDGERS: readonly LedgerName[] = ['Redis', 'embedded store'];
const WORKS = ['throughput', 'engine', 'lateness', 'lateness-embedded'];

/** Hands out an empty topic, with an empty ledger of either kind. */
type FreshPlace = (ledger: LedgerName) => Promise<Place>;

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
  const folder = mkdtempSync(join(tmpdir(), 'carillon-bench-'));
  const server = await startRocketmq({ install });
  const redis = await startRedis({ install });
  let places = 0;
  const freshPlace: FreshPlace = async (ledger) => {
    places += 1;
    const prefix = `bench-${places}-`;
    await rocketmqAdmin({ nameServer: `127.0.0.1:${server.ports.nameserver}`, prefix }).provision(['default']);
    const { endpoint } = server;
    return {
      endpoint,
      prefix,
      ledger: ledger === 'Redis' ? { redisUrl: redis.url } : { folder: join(folder, prefix) },
    };
  };
  process.on('uncaughtException', forgiveStockClient);
  try {
    if (wanted('throughput')) yield* throughput(quick ? 500 : 10_000, runs, freshPlace, progress);
    if (wanted('engine')) yield* engine(quick ? 300 : 5_000, runs, freshPlace, progress);
    const [perSecond, seconds] = quick ? [100, 3] : [500, 20];
    if (wanted('lateness')) yield* lateness('Redis', perSecond, seconds, runs, freshPlace, progress);
    if (wanted('lateness-embedded')) yield* lateness('embedded store', perSecond, seconds, runs, freshPlace, progress);
  } finally {
    await Promise.all([server.stop(), redis.stop()]);
    rmSync(folder, { recursive: true, force: true });
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
  freshPlace: FreshPlace,
  progress: (line: string) => void,
): AsyncIterable<Row> {
  const measured = { send: new Map<ClientName, Cost[]>(), consume: new Map<ClientName, Cost[]>() };
  for (let run = 0; run <= runs; run += 1) {
    const order = run % 2 === 0 ? (['Carillon', PEER] as const) : ([PEER, 'Carillon'] as const); // who is first pays for both
    for (const name of order) {
      const { endpoint, prefix } = await freshPlace('embedded store');
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
  freshPlace: FreshPlace,
  progress: (line: string) => void,
): AsyncIterable<Row> {
  const costs = new Map<LedgerName, Cost[]>(LEDGERS.map((ledger) => [ledger, []]));
  for (let run = 0; run <= runs; run += 1) {
    for (const ledger of LEDGERS) {
      const cost = await drainJobs(await freshPlace(ledger), count);
      if (run === 0) continue; // warms up
      costs.get(ledger)?.push(cost);
      progress(`jobs, ledger: ${ledger}, run ${run} of ${runs}: ${text('drained', cost)}`);
    }
  }
  const alone = { peer: null, peerName: null, ratio: null, goal: null };
  for (const [ledger, all] of costs) {
    const work = `drain no-op jobs, ledger: ${ledger}`;
    yield { work, unit: 'jobs/s', ours: median(all.map(({ perSecond }) => perSecond)), ...alone };
    yield { work: `${work}, CPU per job`, unit: 'µs', ours: median(all.map(({ cpuUs }) => cpuUs)), ...alone };
  }
}

async function* lateness(
  ledger: LedgerName,
  perSecond: number,
  seconds: number,
  runs: number,
  freshPlace: FreshPlace,
  progress: (line: string) => void,
): AsyncIterable<Row> {
  const before: (readonly number[])[] = [];
  const after: Lateness[] = [];
  for (let run = 1; run <= runs; run += 1) {
    before.push(await latenessOfMessages(await freshPlace(ledger), perSecond, seconds));
    const measured = await latenessOfJobs(await freshPlace(ledger), perSecond, seconds);
    after.push(measured);
    const [jobs, timers] = [measured.jobs, measured.timers].map((late) => SHARES.map(([, share]) => at(late, share)));
    progress(`run ${run} of ${runs}, p50/p99/max in ms: jobs ${jobs?.join('/')}, bare timers ${timers?.join('/')}`);
  }
  const what = `${perSecond} due per second, ledger: ${ledger}`;
  for (const [name, share] of SHARES) {
    const ours = median(after.map(({ jobs }) => at(jobs, share)));
    const peer = median(before.map((late) => at(late, share)));
    const goal = name === 'p99' ? '<= 10' : null;
    const ratio = peer / Math.max(ours, 1);
    yield { work: `lateness ${name}, ${what}`, unit: 'ms', ours, peer, peerName: 'before landing', ratio, goal };
    const timers = median(after.map((measured) => at(measured.timers, share)));
    yield {
      work: `  bare timers meanwhile, ${name}`,
      unit: 'ms',
      ours: timers,
      peer: null,
      peerName: null,
      ratio: null,
      goal: null,
    };
  }
}

const SHARES = [
  ['p50', 0.5],
  ['p99', 0.99],
  ['max', 1],
] as const;

/** The lateness that a share of all does not exceed. */
function at(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
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
