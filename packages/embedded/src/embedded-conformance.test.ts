import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@carillon/testing';
import { fusedConformance, ledgerConformance, transportConformance } from '@carillon/testing/conformance';
import { embedded, embeddedLedger, embeddedTransport } from './embedded.js';

interface Place {
  readonly clock: VirtualClock;
  readonly folder: string;
  readonly clear: () => void;
}

function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-conformance-'));
  return { clock: new VirtualClock(), folder, clear: () => rmSync(folder, { recursive: true, force: true }) };
}

ledgerConformance('the embedded ledger', {
  async open() {
    const { clock, folder, clear } = place();
    const ledger = embeddedLedger(folder, { clock });
    await ledger.open();
    return {
      ledger,
      advance: (ms) => clock.advance(ms),
      second: async () => embeddedLedger(folder, { clock }),
      async close() {
        await ledger.close();
        clear();
      },
    };
  },
});

transportConformance('the embedded transport', {
  async open() {
    const { clock, folder, clear } = place();
    const transport = embeddedTransport(folder, { clock });
    await transport.open();
    return {
      transport,
      advance: (ms) => clock.advance(ms),
      now: () => clock.now(),
      second: async () => embeddedTransport(folder, { clock }),
      async close() {
        await transport.close();
        clear();
      },
    };
  },
});

fusedConformance('the embedded store', {
  async open() {
    const { clock, folder, clear } = place();
    const backend = embedded(folder, { clock });
    await backend.ledger.open();
    await backend.transport.open();
    return {
      backend,
      advance: (ms) => clock.advance(ms),
      second: async () => embedded(folder, { clock }),
      async close() {
        await backend.transport.close();
        await backend.ledger.close();
        clear();
      },
    };
  },
});
