// Gated: a backend with a gate before each of its ports.

import type { Backend } from '@carillon/core/spi';
import { GatedLedger } from './gated-ledger.js';
import { GatedTransport } from './gated-transport.js';

/** A backend whose calls a test can hold up, fail or count. */
export interface GatedBackend extends Backend {
  readonly transport: GatedTransport;
  readonly ledger: GatedLedger;
}

/** Puts a gate before each port of a backend. */
export function gated(backend: Backend): GatedBackend {
  const ports = { transport: new GatedTransport(backend.transport), ledger: new GatedLedger(backend.ledger) };
  return backend.fused === undefined ? ports : { ...ports, fused: backend.fused };
}
