// Faults: the classes of what can go wrong in a simulation, how often each may, and the draws that decide when it does.
//
// A1  Each class draws from a stream of its own, so that switching one off leaves the others as they were.
// A2  After `heal` nothing goes wrong any more.

import type { Random } from '@carillon/core/spi';
import { seededRandom } from '../../seeded-random.js';

/** How the rate of a class is meant: a chance per call or message, events per hour, or a size of its own. */
type Unit = 'chance' | 'per hour' | 'seconds';

interface FaultClass {
  readonly unit: Unit;
  /** The rates between which a seed draws, evenly on a logarithmic scale. */
  readonly from: number;
  readonly to: number;
  readonly means: string;
}

const chance = (from: number, to: number, means: string): FaultClass => ({ unit: 'chance', from, to, means });
const perHour = (from: number, to: number, means: string): FaultClass => ({ unit: 'per hour', from, to, means });

/** Every class of faults, with the rates that seeds draw. */
export const FAULTS = {
  duplicate: chance(0.002, 0.05, 'the broker stores a message twice'),
  reorder: chance(0.01, 0.3, 'a message comes up to 3 s after its time, and so after later ones'),
  early: chance(0.01, 0.3, 'a message comes up to 1.5 s before its time'),
  late: chance(0.001, 0.05, 'a message comes up to 3 min after its time'),
  'send-lost': chance(0.002, 0.05, 'a send does not reach the broker, and the sender hears nothing'),
  'send-unheard': chance(0.002, 0.05, 'a send is stored, and the sender hears nothing'),
  'ack-lost': chance(0.002, 0.05, 'an ack does not reach the broker'),
  'delivery-lost': chance(0.001, 0.03, 'a delivery does not reach the engine'),
  'message-lost': chance(0.0005, 0.02, 'the broker loses a message that it had stored'),
  redelivery: chance(0.001, 0.03, 'the broker delivers a message again although it is held'),
  retention: perHour(0.05, 0.5, 'the broker removes messages that it has kept for over an hour'),
  'broker-down': perHour(0.1, 1, 'the broker does not answer for up to 10 min'),
  'request-lost': chance(0.001, 0.03, 'a request does not reach the ledger, and the caller hears nothing'),
  'answer-lost': chance(0.001, 0.03, 'a request is served, and the caller hears nothing'),
  slow: chance(0.001, 0.03, 'a request or its answer takes up to 20 s'),
  'ledger-down': perHour(0.1, 1, 'the ledger does not answer for up to 10 min'),
  failover: perHour(0.05, 0.5, 'the ledger forgets its last writes, up to 2 s of them'),
  'clock-step': perHour(0.05, 0.5, "the ledger's clock jumps by up to 3 s, either way"),
  eviction: perHour(0.02, 0.2, 'the ledger loses a record'),
  crash: chance(0.0002, 0.005, 'an engine dies at a call, before or after it was served, and starts again'),
  pause: perHour(0.1, 3, 'an engine stands still for up to 3 min, then goes on as if nothing had been'),
  restart: perHour(0.1, 2, 'an engine is stopped in good order and started again'),
  versions: { unit: 'chance', from: 0.1, to: 0.9, means: 'an engine that starts runs the old version of the program' },
  skew: { unit: 'seconds', from: 0.05, to: 120, means: "each engine's clock is off by up to so much, and drifts" },
  partition: perHour(0.1, 1, 'an engine reaches neither broker nor ledger for up to 5 min'),
  garbage: perHour(0.1, 2, 'something that is no message of ours comes to a queue'),
} satisfies Record<string, FaultClass>;

/** The name of a class of faults. */
export type FaultName = keyof typeof FAULTS;

/** Which classes of faults are switched on, at which rates. */
export type Faults = { readonly [N in FaultName]?: number };

/** The names of all classes, in the order of the table. */
export const FAULT_NAMES = Object.keys(FAULTS) as readonly FaultName[];

/** Whether a class can have such a rate: a chance goes up to 1, what comes by the hour and sizes have no limit. */
export function isRate(name: FaultName, rate: unknown): boolean {
  const most = FAULTS[name].unit === 'chance' ? 1 : Number.MAX_VALUE;
  return typeof rate === 'number' && rate >= 0 && rate <= most;
}

/** Switches a random half of the classes on, at random rates (swarm testing: Groce et al., ISSTA 2012). */
export function drawFaults(random: Random): Faults {
  const drawn: Partial<Record<FaultName, number>> = {};
  for (const name of FAULT_NAMES) {
    const { from, to } = FAULTS[name];
    const on = random.next() < 0.5;
    const rate = from * (to / from) ** random.next();
    if (on) drawn[name] = Number(rate.toPrecision(2));
  }
  return drawn;
}

/** Decides when something goes wrong. */
export class Chance {
  readonly #faults: Faults;
  readonly #streams = new Map<string, Random>();
  /** The classes that are on. */
  readonly #drawn = new Map<FaultName, { readonly rate: number; readonly stream: Random }>();
  readonly #seed: number;
  #healed = false;

  constructor(seed: number, faults: Faults) {
    this.#seed = seed;
    this.#faults = faults;
    for (const name of FAULT_NAMES) {
      const rate = faults[name] ?? 0;
      if (rate > 0) this.#drawn.set(name, { rate, stream: this.stream(name) });
    }
  }

  /** Whether everything works from now on (A2). */
  get healed(): boolean {
    return this.#healed;
  }

  /** Lets nothing go wrong any more. */
  heal(): void {
    this.#healed = true;
  }

  /** The rate of a class; 0 if it is off. */
  rate(name: FaultName): number {
    return this.#healed ? 0 : (this.#faults[name] ?? 0);
  }

  /** Whether a fault of this class happens now. */
  hits(name: FaultName): boolean {
    if (this.#healed) return false;
    const drawn = this.#drawn.get(name);
    return drawn !== undefined && drawn.stream.next() < drawn.rate;
  }

  /** A number between two, drawn for this class. */
  between(name: FaultName, from: number, to: number): number {
    return from + (to - from) * this.stream(name).next();
  }

  /** Milliseconds until the next event of a class that is counted per hour; `Infinity` if it is off. */
  nextInMs(name: FaultName): number {
    const rate = this.rate(name);
    return rate === 0 ? Infinity : (-Math.log(1 - this.stream(name).next()) * 3_600_000) / rate;
  }

  /** The stream of a class, or of anything else that draws for itself (A1). */
  stream(name: string): Random {
    let stream = this.#streams.get(name);
    if (stream === undefined) this.#streams.set(name, (stream = streamOf(this.#seed, name)));
    return stream;
  }
}

/** A stream of random numbers that only the seed and its name decide. */
export function streamOf(seed: number, name: string): Random {
  let hash = 0x811c9dc5; // FNV-1a
  for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return seededRandom((seed >>> 0) + (hash >>> 0) * 2 ** 21);
}
