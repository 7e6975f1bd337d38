import { fusedConformance, ledgerConformance, transportConformance } from '../conformance/index.js';
import type { LedgerFixture, TransportFixture } from '../conformance/index.js';
import { VirtualClock } from '../virtual-clock.js';
import { memory, memoryStore } from './memory.js';
import type { MemoryBackend, MemoryOptions } from './memory.js';

async function openLedger(create: (options: { clock: VirtualClock }) => MemoryBackend): Promise<LedgerFixture> {
  const clock = new VirtualClock();
  const { ledger, another } = create({ clock });
  await ledger.open();
  return {
    ledger,
    advance: (ms) => clock.advance(ms),
    second: async () => another().ledger,
    close: () => ledger.close(),
  };
}

async function openTransport(limits: MemoryOptions['limits'] = {}): Promise<TransportFixture> {
  const clock = new VirtualClock();
  const { transport, another } = memory({ clock, limits });
  await transport.open();
  return {
    transport,
    advance: (ms) => clock.advance(ms),
    now: () => clock.now(),
    second: async () => another().transport,
    close: () => transport.close(),
  };
}

ledgerConformance('the ledger of memory', { open: () => openLedger(memory) });
ledgerConformance('the ledger of memoryStore', { open: () => openLedger(memoryStore) });
transportConformance('the transport of memory', { open: () => openTransport() });
transportConformance('the transport of memory, with narrow limits', {
  open: () => openTransport({ horizonMs: 60_000, precisionMs: 1000, maxBytes: 1024, leaseMs: [5000, 600_000] }),
});
fusedConformance('memoryStore', {
  async open() {
    const clock = new VirtualClock();
    const backend = memoryStore({ clock });
    await backend.ledger.open();
    await backend.transport.open();
    return {
      backend,
      advance: (ms) => clock.advance(ms),
      second: async () => backend.another(),
      close: () => backend.transport.close(),
    };
  },
});
