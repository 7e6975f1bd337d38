// Transport conformance: the specification of the transport port (P1 to P3 of ports/transport.ts), to be run against every
// adapter.

import { suite } from '../suite.js';
import type { Capability, Harness } from '../suite.js';
import { bodies } from './bodies.js';
import { delivery } from './delivery.js';
import { leases } from './leases.js';
import { limits } from './limits.js';
import { receive } from './receive.js';
import { type ProbedTransport, type TransportFixture, TransportProbe } from './transport-probe.js';

/** How to open an adapter for `transportConformance`. */
export type TransportHarness = Harness<TransportFixture>;

const CAPABILITIES: Readonly<Record<string, Capability<ProbedTransport>>> = {
  delivery,
  leases,
  limits,
  receive,
  bodies,
};

/** Declares the tests that every transport passes. */
export function transportConformance(name: string, harness: TransportHarness): void {
  const open = async (): Promise<ProbedTransport> => {
    const fixture = await harness.open();
    return { ...fixture, probe: new TransportProbe(fixture) };
  };
  suite(name, { ...harness, open }, CAPABILITIES);
}
