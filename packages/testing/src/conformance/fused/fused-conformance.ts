// Fused conformance: what a backend promises whose transport hands out the records of its ledger, already acquired.
// Its ledger passes `ledgerConformance` besides.

import { LedgerProbe } from '../ledger/ledger-probe.js';
import { suite } from '../suite.js';
import type { Capability, Harness } from '../suite.js';
import { attention } from './attention.js';
import { ending } from './ending.js';
import { type FusedFixture, FusedProbe, type ProbedBackend } from './fused-probe.js';
import { grants } from './grants.js';
import { room } from './room.js';
import { work } from './work.js';

/** How to open an adapter for `fusedConformance`. */
export type FusedHarness = Harness<FusedFixture>;

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
