// Transport conformance: the specification of the transport port (P1 to P3 of ports/transport.ts), to be run against every
// adapter.

import type { Instant, Transport } from '@carillon/core/spi';
import { suite } from '../suite.js';
import type { Capability, Closeable, Harness } from '../suite.js';
import { bodies } from './bodies.js';
import { delivery } from './delivery.js';
import { leases } from './leases.js';
import { limits } from './limits.js';
import { receive } from './receive.js';
import { TransportProbe } from './transport-probe.js';

/** A fresh transport, and the time that it lives in. */
export interface TransportFixture extends Closeable {
  /** Open and empty. */
  readonly transport: Transport;
  /** Lets at least so many ms pass: in virtual time at once, else by waiting. */
  readonly advance: (ms: number) => Promise<void>;
  /** The broker's time, as well as it can be told. */
  readonly now: () => Instant;
  /** How much later than asked for a message may come, in ms, before a test calls it lost. Default 0. */
  readonly slackMs?: number;
  /** Opens another handle on the same messages, as another process would; tests that need one are skipped without it. */
  readonly second?: () => Promise<Transport>;
}

/** How to open an adapter for `transportConformance`. */
export type TransportHarness = Harness<TransportFixture>;

/** What a test of a transport works with. */
export interface ProbedTransport extends TransportFixture {
  readonly probe: TransportProbe;
}

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
