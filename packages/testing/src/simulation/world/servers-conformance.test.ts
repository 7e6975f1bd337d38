// The simulated broker and ledger under the suites that specify the ports, with all faults off: what the engine meets in a
// simulation keeps the rules that a real server must keep.

import type { Backend, Limits } from '@carillon/core/spi';
import { fusedConformance, ledgerConformance, transportConformance } from '../../conformance/index.js';
import { Chance, streamOf } from '../plan/faults.js';
import { planOf, type PlanChoices } from '../plan/plan.js';
import { Incarnation } from './host.js';
import { Servers } from './servers.js';
import { World } from './world.js';

const SEED = 1;
const AT_ONCE = { next: () => 0 };

/** Chance without faults, and without delay on the wires: a call is answered without that time passes. */
class Calm extends Chance {
  override stream(name: string): ReturnType<Chance['stream']> {
    return name === 'latency' ? AT_ONCE : super.stream(name);
  }
}

/** Servers in a world of their own, and handles on them, each of another host. */
function servers(choices: PlanChoices): {
  readonly world: World;
  readonly advance: (ms: number) => Promise<void>;
  readonly handle: () => Promise<Backend>;
} {
  const world = new World(Date.UTC(2026, 0, 1), streamOf(SEED, 'world'));
  const plan = planOf(SEED, { precisionMs: 0, horizonMs: Infinity, ...choices, faults: {} });
  const both = new Servers({ plan, world, chance: new Calm(SEED, {}), tell: () => {} });
  let hosts = 0;
  return {
    world,
    advance: (ms) => world.runUntil(world.now + ms),
    async handle() {
      const backend = both.backend(new Incarnation(world, `engine-${(hosts += 1)}`));
      await backend.transport.open();
      await backend.ledger.open();
      return backend;
    },
  };
}

async function openLedger(choices: PlanChoices) {
  const { advance, handle } = servers(choices);
  const { ledger } = await handle();
  return { ledger, advance, second: async () => (await handle()).ledger, close: () => ledger.close() };
}

async function openTransport(limits: Partial<Pick<Limits, 'precisionMs' | 'horizonMs'>>) {
  const { world, advance, handle } = servers({ shape: 'apart', ...limits });
  const { transport } = await handle();
  return {
    transport,
    advance,
    now: () => world.now,
    second: async () => (await handle()).transport,
    close: () => transport.close(),
  };
}

ledgerConformance('the simulated ledger', { open: () => openLedger({ shape: 'apart' }) });
ledgerConformance('the ledger of the simulated store', { open: () => openLedger({ shape: 'fused' }) });
transportConformance('the simulated broker', { open: () => openTransport({}) });
transportConformance('the simulated broker, with slots and a horizon', {
  open: () => openTransport({ precisionMs: 200, horizonMs: 60_000 }),
});
fusedConformance('the simulated store', {
  async open() {
    const { advance, handle } = servers({ shape: 'fused' });
    const backend = await handle();
    return { backend, advance, second: handle, close: () => backend.transport.close() };
  },
});
