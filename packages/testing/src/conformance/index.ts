// For authors of adapters: the specification of the ports as vitest suites. Needs vitest beside this package.

export { fusedConformance } from './fused/fused-conformance.js';
export type { FusedFixture, FusedHarness } from './fused/fused-conformance.js';
export { ledgerConformance } from './ledger/ledger-conformance.js';
export type { LedgerFixture, LedgerHarness } from './ledger/ledger-conformance.js';
export { transportConformance } from './transport/transport-conformance.js';
export type { TransportFixture, TransportHarness } from './transport/transport-conformance.js';
export type { Closeable, Exception, Harness } from './suite.js';
