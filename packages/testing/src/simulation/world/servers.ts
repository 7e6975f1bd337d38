// Servers: the broker and the ledger of a run, and the weather they live in: when they are down, cut off, forgetful.

import type { Backend, Limits } from '@carillon/core/spi';
import { WaitingRoom } from '../../memory/waiting-room.js';
import { BrokerTransport } from '../broker/broker-transport.js';
import { Broker } from '../broker/broker.js';
import { fusedClient } from '../ledger/fused-client.js';
import { ledgerClient } from '../ledger/ledger-client.js';
import { SimulatedLedger } from '../ledger/simulated-ledger.js';
import type { Tell } from '../observation.js';
import type { Chance, FaultName } from '../plan/faults.js';
import type { Plan } from '../plan/plan.js';
import type { Incarnation } from './host.js';
import { Wire } from './wire.js';
import type { World } from './world.js';

/** What the servers of a run live in. */
export interface ServersParts {
  readonly plan: Plan;
  readonly world: World;
  readonly chance: Chance;
  readonly tell: Tell;
}

const MINUTE_MS = 60_000;

/** The servers of one run. */
export class Servers {
  readonly broker: Broker;
  readonly ledger: SimulatedLedger;
  readonly #parts: ServersParts;
  readonly #waiting: WaitingRoom;
  readonly #cut = new Set<string>();
  #grants = 0;

  constructor(parts: ServersParts) {
    const { plan, world, chance, tell } = parts;
    const limits: Limits = {
      horizonMs: plan.horizonMs,
      precisionMs: plan.precisionMs,
      maxBytes: 256 * 1024,
      leaseMs: [1, 43_200_000],
    };
    this.#parts = parts;
    this.broker = new Broker({ world, chance, limits, tell });
    const clock = {
      now: () => this.ledger.now(),
      monotonic: () => world.now,
      after: world.after.bind(world),
      soon: world.soon.bind(world),
    };
    this.#waiting = new WaitingRoom(clock);
    this.ledger = new SimulatedLedger({
      world,
      chance,
      tell,
      ...(plan.shape === 'fused' && { wake: (queue: string) => this.#waiting.wake(queue) }),
    });
  }

  /** A process's handle on both. */
  backend(process: Incarnation): Backend {
    const { plan, world, chance, tell } = this.#parts;
    const { broker, ledger } = this;
    const isCut = (): boolean => this.#cut.has(process.host);
    const toLedger = new Wire({ world, chance, process, server: ledger, isCut, tell });
    if (plan.shape === 'fused') {
      const clock = { ...process.clock, now: () => ledger.now() };
      const nonce = (): string => `received-${(this.#grants += 1)}`;
      return fusedClient(ledger, { clock, records: ledger.records, waiting: this.#waiting, nonce }, toLedger, process);
    }
    const losesDelivery = (): boolean => {
      if (!chance.hits('delivery-lost')) return false;
      tell({ what: 'fault', host: process.host, fault: 'delivery-lost', about: 'a delivery' });
      return true;
    };
    const wire = new Wire({ world, chance, process, server: broker, isCut, tell });
    return {
      transport: new BrokerTransport({ broker, wire, process, losesDelivery }),
      ledger: ledgerClient(ledger, toLedger, process),
    };
  }

  /** Lets the faults that come by the hour begin. */
  start(hosts: readonly string[]): void {
    const { ledger, broker } = this;
    const down = (server: Broker | SimulatedLedger) => (): number => {
      server.isDown = true;
      return 10 * MINUTE_MS;
    };
    const up = (server: Broker | SimulatedLedger) => (): void => {
      server.isDown = false;
    };
    this.#every('ledger-down', down(ledger), up(ledger));
    this.#every('failover', () => ledger.failOver());
    this.#every('clock-step', () => ledger.stepClock());
    this.#every('eviction', () => ledger.evict());
    if (this.#parts.plan.shape === 'fused') return;
    this.#every('broker-down', down(broker), up(broker));
    this.#every('retention', () => broker.expire());
    this.#every('garbage', () => broker.litter());
    for (const host of hosts) {
      this.#every(
        'partition',
        () => {
          this.#cut.add(host);
          return 5 * MINUTE_MS;
        },
        () => this.#cut.delete(host),
        host,
      );
    }
  }

  /** Ends every outage. */
  heal(): void {
    this.broker.isDown = false;
    this.ledger.isDown = false;
    this.#cut.clear();
  }

  /** Plans a fault at random times; one that `begin` gives a longest duration is ended by `end`. */
  #every(fault: FaultName, begin: () => number | void, end: () => void = () => {}, about = ''): void {
    const { world, chance, tell } = this.#parts;
    const inMs = chance.nextInMs(fault);
    if (inMs === Infinity) return;
    world.after(inMs, () => {
      if (chance.healed) return;
      tell({ what: 'fault', host: undefined, fault, about });
      const longestMs = begin();
      if (longestMs === undefined) return this.#every(fault, begin, end, about);
      world.after(chance.between(fault, 1_000, longestMs), () => {
        end();
        this.#every(fault, begin, end, about);
      });
    });
  }
}
