// Ledger conformance: the specification of the ledger port (L1 to L6 of ports/ledger.ts), to be run against every
// adapter.

import type { Ledger } from '@carillon/core/spi';
import { suite } from '../suite.js';
import type { Capability, Closeable, Harness } from '../suite.js';
import { batches } from './batches.js';
import { bodies } from './bodies.js';
import { concurrency } from './concurrency.js';
import { due } from './due.js';
import { leases } from './leases.js';
import { LedgerProbe } from './ledger-probe.js';
import { lifecycle } from './lifecycle.js';
import { list } from './list.js';
import { marks } from './marks.js';
import { nonces } from './nonces.js';
import { outbox } from './outbox.js';
import { placing } from './placing.js';
import { randomCommands } from './random-commands.js';
import { renewals } from './renewals.js';
import { retention } from './retention.js';

/** A fresh ledger, and the time that it lives in. */
export interface LedgerFixture extends Closeable {
  /** Open and empty. */
  readonly ledger: Ledger;
  /** Lets the ledger's clock move on by at least so many ms: in virtual time at once, else by waiting. */
  readonly advance: (ms: number) => Promise<void>;
  /** Opens another handle on the same store, as another process would; tests that need one are skipped without it. */
  readonly second?: () => Promise<Ledger>;
}

/** How to open an adapter for `ledgerConformance`. */
export type LedgerHarness = Harness<LedgerFixture>;

/** What a test of a ledger works with. */
export interface ProbedLedger extends LedgerFixture {
  readonly probe: LedgerProbe;
}

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
