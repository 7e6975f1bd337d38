// Ledger comparison: the memory ledger, on which the simulator runs, against the embedded one, on the same random commands
// (L1 of ledger-commands.ts).

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embeddedLedger } from '@carillon/embedded';
import { memory, VirtualClock } from '@carillon/testing';
import { test } from 'vitest';
import { compareLedgers } from './ledger-commands.js';

const SEEDS = 10;

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`L1: the memory ledger and the embedded one agree, seed ${seed}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'carillon-comparison-'));
    const clock = new VirtualClock();
    const first = memory({ clock });
    const models = [first.ledger, first.another().ledger];
    const ledgers = [embeddedLedger(folder, { clock }), embeddedLedger(folder, { clock })];
    try {
      await compareLedgers(seed, clock, models, ledgers);
    } finally {
      await Promise.all(ledgers.map((ledger) => ledger.close()));
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
