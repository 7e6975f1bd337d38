// For authors of adapters: the specification of the ports as vitest suites. Needs vitest beside this package.

export { fusedConformance } from './fused/fused-conformance.js';
export type { FusedHarness } from './fused/fused-conformance.js';
export type { FusedFixture } from './fused/fused-probe.js';
export { ledgerConformance } from './ledger/ledger-conformance.js';
export type { LedgerHarness } from './ledger/ledger-conformance.js';
export type { LedgerFixture } from './ledger/ledger-probe.js';
export { transportConformance } from './transport/transport-conformance.js';
export type { TransportHarness } from './transport/transport-conformance.js';
export type { TransportFixture } from './transport/transport-probe.js';
export type { Closeable, Exception, Harness } from './suite.js';
