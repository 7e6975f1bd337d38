import { expect, test } from 'vitest';
import type { Observation } from '../observation.js';
import { Chance, type Faults, streamOf } from '../plan/faults.js';
import { Incarnation } from './host.js';
import { type Weather, Wire } from './wire.js';
import { World } from './world.js';

const WEATHER: Weather = { requestLost: 'request-lost', answerLost: 'answer-lost', slow: true };
const LONG_MS = 60_000;

/** A process that asks a server, and what comes of it. */
class Asking {
  readonly world = new World(0, streamOf(1, 'world'));
  readonly process = new Incarnation(this.world, 'engine-1');
  readonly server = { name: 'ledger' as const, isDown: false };
  readonly seen: string[] = [];
  isCut = false;
  served = 0;
  readonly #wire: Wire;

  constructor(faults: Faults = {}, seed = 1) {
    this.#wire = new Wire({
      world: this.world,
      chance: new Chance(seed, faults),
      process: this.process,
      server: this.server,
      isCut: () => this.isCut,
      tell: (happened) => this.seen.push(inShort(happened as Observation)),
    });
  }

  /** What a call came to within a minute, and how often it was served. */
  async ask(meanwhile: () => void = () => {}): Promise<readonly [outcome: string, served: number, afterMs: number]> {
    let outcome = 'nothing';
    let at = 0;
    const since = this.world.now;
    const end = (how: string) => (): void => {
      outcome = how;
      at = this.world.now - since;
    };
    this.#wire
      .ask('commit', WEATHER, async () => void (this.served += 1))
      .then(end('answered'), (error: { code: string }) => end(error.code)());
    meanwhile();
    await this.world.runUntil(since + LONG_MS);
    return [outcome, this.served, at];
  }
}

function inShort(seen: Observation): string {
  if (seen.what === 'request') return seen.served ? 'served' : 'unserved';
  return seen.what === 'fault' ? `${seen.fault} ${seen.about}` : seen.what;
}

test('R1: a call is served once, and told so', async () => {
  const asking = new Asking();
  for (let calls = 1; calls <= 20; calls += 1) {
    const [outcome, served, afterMs] = await asking.ask();
    expect([outcome, served]).toEqual(['answered', calls]);
    expect(afterMs).toBeLessThanOrEqual(4);
  }
  expect(asking.seen).toEqual(Array.from({ length: 20 }, () => 'served'));
});

test('R1: a slow call is served once, and its answer comes late', async () => {
  const [outcome, served, afterMs] = await new Asking({ slow: 1 }).ask();
  expect([outcome, served]).toEqual(['answered', 1]);
  expect(afterMs).toBeGreaterThan(100);
});

test.each<[what: string, faults: Faults, prepare: (asking: Asking) => void, served: number, afterMs: number]>([
  ['whose request is lost', { 'request-lost': 1 }, () => {}, 0, 5_000],
  ['whose answer is lost', { 'answer-lost': 1 }, () => {}, 1, 5_000],
  ['to a server that is down', {}, ({ server }) => void (server.isDown = true), 0, 20],
  ['of a host that is cut off', {}, (asking) => void (asking.isCut = true), 0, 5_000],
])('R2: a call %s is unclear after its time-out', async (_what, faults, prepare, served, afterMs) => {
  const asking = new Asking(faults);
  prepare(asking);
  expect(await asking.ask()).toEqual(['E_UNCLEAR', served, afterMs]);
  expect(asking.seen).toContain('unserved');
});

test('R2: a call whose host is cut off before the answer comes is served, and unclear', async () => {
  const asking = new Asking();
  expect(await asking.ask(() => void (asking.isCut = true))).toEqual(['E_UNCLEAR', 1, 5_000]);
});

test('R2: a call of a process that has died never ends, and is not served', async () => {
  const asking = new Asking();
  asking.process.crash();
  expect(await asking.ask()).toEqual(['nothing', 0, 0]);
});

test('R2: a call of which the process dies never ends, whether it was served or not', async () => {
  const asking = new Asking({ crash: 1 });
  expect(await asking.ask()).toEqual(['nothing', 0, 0]);
  expect(asking.process.alive).toBe(false);
  expect(asking.seen).toEqual(['crash before ledger.commit']);

  const ends = new Set<string>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const other = new Asking({ crash: 0.5 }, seed);
    const [outcome, served] = await other.ask();
    ends.add(`${outcome}, served ${served}: ${other.seen.at(-1)}`);
  }
  expect(ends).toEqual(
    new Set([
      'nothing, served 0: crash before ledger.commit',
      'nothing, served 1: crash after ledger.commit',
      'answered, served 1: served',
    ]),
  );
});
