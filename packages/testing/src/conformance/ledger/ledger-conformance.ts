// Ledger conformance: the specification of the ledger port (L1 to L6 of ports/ledger.ts), to be run against every
// adapter.

import { suite } from '../suite.js';
import type { Capability, Harness } from '../suite.js';
import { batches } from './batches.js';
import { bodies } from './bodies.js';
import { concurrency } from './concurrency.js';
import { due } from './due.js';
import { leases } from './leases.js';
import { type LedgerFixture, LedgerProbe, type ProbedLedger } from './ledger-probe.js';
import { lifecycle } from './lifecycle.js';
import { list } from './list.js';
import { marks } from './marks.js';
import { nonces } from './nonces.js';
import { outbox } from './outbox.js';
import { placing } from './placing.js';
import { randomCommands } from './random-commands.js';
import { renewals } from './renewals.js';
import { retention } from './retention.js';

/** How to open an adapter for `ledgerConformance`. */
export type LedgerHarness = Harness<LedgerFixture>;

const CAPABILITIES: Readonly<Record<string, Capability<ProbedLedger>>> = {
  lifecycle,
  placing,
  leases,
  renewals,
  nonces,
  outbox,
  due,
  list,
  retention,
  marks,
  batches,
  bodies,
  concurrency,
  'random commands': randomCommands,
};

/** Declares the tests that every ledger passes. */
export function ledgerConformance(name: string, harness: LedgerHarness): void {
  const open = async (): Promise<ProbedLedger> => {
    const fixture = await harness.open();
    return { ...fixture, probe: new LedgerProbe(fixture.ledger, await fixture.ledger.now()) };
  };
  suite(name, { ...harness, open }, CAPABILITIES);
}
