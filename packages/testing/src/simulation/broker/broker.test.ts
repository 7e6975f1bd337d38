import { expect, test } from 'vitest';
import type { Observation } from '../observation.js';
import { Chance, type Faults, streamOf } from '../plan/faults.js';
import { World } from '../world/world.js';
import { Broker } from './broker.js';

const START = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

/** A broker, and what one host has received of it, with times from the start. */
class Exchange {
  readonly world = new World(START, streamOf(1, 'world'));
  readonly seen: string[] = [];
  readonly arrivals: number[] = [];
  readonly broker: Broker;

  constructor(faults: Faults = {}, precisionMs = 0) {
    const limits = { horizonMs: 10 * HOUR_MS, precisionMs, maxBytes: 10, leaseMs: [1, HOUR_MS] as const };
    const tell = (happened: object): void => {
      const seen = happened as Observation;
      if (seen.what === 'message') this.seen.push(seen.change);
      if (seen.what === 'fault') this.seen.push(`fault ${seen.fault}`);
    };
    this.broker = new Broker({ world: this.world, chance: new Chance(1, faults), limits, tell });
  }

  send(inMs: number, bytes = 3): string {
    const deliverAt = this.world.now + inMs;
    return this.broker.send('shop', { id: 'a#1', queue: 'default', body: new Uint8Array(bytes), deliverAt }).outcome;
  }

  /** Receives and acks for so long. */
  async receive(ms: number, { acks = true } = {}): Promise<readonly number[]> {
    const until = this.world.now + ms;
    const { signal } = new AbortController();
    const request = { queue: 'default', max: 1, leaseMs: 30_000, holder: 'engine-1.1', signal };
    const loop = async (): Promise<void> => {
      while (this.world.now < until) {
        for (const stored of await this.broker.receive('engine-1', request)) {
          this.arrivals.push(this.world.now - START);
          if (acks) this.broker.settle('engine-1', stored, stored.attempts, 'ack', 0);
        }
      }
    };
    void loop();
    await this.world.runUntil(until);
    return this.arrivals;
  }
}

test.each([
  [0, 2500, [2500]],
  [1000, 2500, [3000]],
  [1000, 3000, [3000]],
  [1000, 0, [0]],
])('B1: in slots of %i ms what is due after %i ms is not delivered before its time', async (slotMs, inMs, arrivals) => {
  const exchange = new Exchange({}, slotMs);
  expect(exchange.send(inMs)).toBe('sent');
  expect(await exchange.receive(60_000)).toEqual(arrivals);
  expect(exchange.seen).toEqual(['stored', 'delivered', 'acked']);
});

test('B1: a long poll that finds nothing ends after a minute', async () => {
  const exchange = new Exchange();
  const { signal } = new AbortController();
  const request = { queue: 'default', max: 1, leaseMs: 1, holder: '', signal };
  const answer = exchange.broker.receive('engine-1', request);
  await exchange.world.runUntil(START + 60_000);
  expect(await answer).toEqual([]);
});

test('refuses what is beyond its horizon, and what is too large', () => {
  const exchange = new Exchange();
  expect(exchange.send(10 * HOUR_MS)).toBe('sent');
  expect(exchange.send(10 * HOUR_MS + 1)).toBe('refused');
  expect(exchange.send(0, 11)).toBe('refused');
});

test('duplicate: a message is stored and delivered twice', async () => {
  const exchange = new Exchange({ duplicate: 1 });
  exchange.send(1000);
  expect(await exchange.receive(60_000)).toEqual([1000, 1000]);
  expect(exchange.seen.slice(0, 3)).toEqual(['stored', 'fault duplicate', 'copied']);
});

test.each([
  ['early', 10_000 - 1500, 10_000 - 1],
  ['reorder', 10_001, 13_000],
  ['late', 10_001, 190_000],
] as const)('%s: a message comes when the table of faults says', async (fault, from, to) => {
  const exchange = new Exchange({ [fault]: 1 });
  exchange.send(10_000);
  const [at] = await exchange.receive(HOUR_MS);
  expect(at).toBeGreaterThanOrEqual(from);
  expect(at).toBeLessThanOrEqual(to);
});

test('message-lost: the sender hears that it was sent, and it never comes', async () => {
  const exchange = new Exchange({ 'message-lost': 1 });
  expect(exchange.send(0)).toBe('sent');
  expect(await exchange.receive(HOUR_MS)).toEqual([]);
  expect(exchange.seen).toEqual(['fault message-lost', 'lost']);
});

test('redelivery: a message comes again before its lease has ended, and the older delivery has no say (B2)', async () => {
  const exchange = new Exchange({ redelivery: 1 });
  exchange.send(0);
  const [first, second = Infinity] = await exchange.receive(35_000, { acks: false });
  expect(first).toBe(0);
  expect(second).toBeLessThan(30_000);
});

test('retention: what has been kept for an hour is removed, and what is younger stays', async () => {
  const exchange = new Exchange();
  exchange.send(2 * HOUR_MS);
  await exchange.world.runUntil(START + HOUR_MS - 1);
  exchange.broker.expire();
  expect(exchange.seen).toEqual(['stored']);
  await exchange.world.runUntil(START + HOUR_MS);
  exchange.broker.expire();
  expect(exchange.seen).toEqual(['stored', 'lost']);
  expect([...exchange.broker.all()]).toEqual([]);
  expect(await exchange.receive(3 * HOUR_MS)).toEqual([]);
});

test('whoever has crashed receives nothing any more', async () => {
  const exchange = new Exchange();
  const { signal } = new AbortController();
  const request = { queue: 'default', max: 1, leaseMs: 30_000, holder: '', signal };
  let answered = false;
  void exchange.broker.receive('engine-1', request).then(() => (answered = true));
  exchange.broker.disconnect('engine-1');
  exchange.send(0);
  await exchange.world.runUntil(START + 1000);
  expect(answered).toBe(false);
  expect(exchange.seen).toEqual(['stored']);
});
