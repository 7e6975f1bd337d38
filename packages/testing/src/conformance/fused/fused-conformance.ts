// Fused conformance: what a backend promises whose transport hands out the records of its ledger, already acquired.
// Its ledger passes `ledgerConformance` besides.

import type { Backend } from '@carillon/core/spi';
import { LedgerProbe } from '../ledger/ledger-probe.js';
import { suite } from '../suite.js';
import type { Capability, Closeable, Harness } from '../suite.js';
import { attention } from './attention.js';
import { ending } from './ending.js';
import { FusedProbe } from './fused-probe.js';
import { grants } from './grants.js';
import { room } from './room.js';
import { work } from './work.js';

/** A fresh fused backend, and the time that it lives in. */
export interface FusedFixture extends Closeable {
  /** Both ports open, nothing in them. */
  readonly backend: Backend;
  /** Lets the backend's clock move on by at least so many ms: in virtual time at once, else by waiting. */
  readonly advance: (ms: number) => Promise<void>;
  /** Opens another handle on the same store, as another process would; tests that need one are skipped without it. */
  readonly second?: () => Promise<Backend>;
}

/** How to open an adapter for `fusedConformance`. */
export type FusedHarness = Harness<FusedFixture>;

/** What a test of a fused backend works with. */
export interface ProbedBackend extends FusedFixture {
  readonly ledger: LedgerProbe;
  readonly probe: FusedProbe;
}

const CAPABILITIES: Readonly<Record<string, Capability<ProbedBackend>>> = { attention, grants, room, ending, work };

/** Declares the tests that every fused backend passes. */
export function fusedConformance(name: string, harness: FusedHarness): void {
  const open = async (): Promise<ProbedBackend> => {
    const fixture = await harness.open();
    const { ledger, transport } = fixture.backend;
    const probe = new FusedProbe(transport, fixture.advance);
    return { ...fixture, ledger: new LedgerProbe(ledger, await ledger.now()), probe };
  };
  suite(name, { ...harness, open }, CAPABILITIES);
}
