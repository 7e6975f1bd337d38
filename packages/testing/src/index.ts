// For users: virtual time, backends in memory, and gates that hold up or fail the calls of a port.

export { VirtualClock } from './virtual-clock.js';
export { seededRandom } from './seeded-random.js';
export { seededIds } from './seeded-ids.js';
export { memory, memoryStore } from './memory/memory.js';
export type { MemoryBackend, MemoryOptions } from './memory/memory.js';
export { gated } from './gates/gated.js';
export type { GatedBackend } from './gates/gated.js';
export { GatedLedger } from './gates/gated-ledger.js';
export type { LedgerCall } from './gates/gated-ledger.js';
export { GatedTransport } from './gates/gated-transport.js';
export type { TransportCall } from './gates/gated-transport.js';
export type { FailOrder, GateMoment, Hold, HoldOrder } from './gates/gate.js';
export { TestCarillon, testCarillon } from './test-carillon.js';
export type { TestCarillonOptions } from './test-carillon.js';
export { simulate } from './simulation/simulate.js';
export type {
  Simulated,
  SimulatedAttempt,
  SimulatedJob,
  SimulatedSchedule,
  SimulateOptions,
} from './simulation/simulate.js';
export type { Machine, Program } from './simulation/fleet/host.js';
export type { Shop } from './simulation/fleet/shop.js';
export type { FaultName, Faults } from './simulation/plan/faults.js';
export { Violation } from './simulation/checks/monitor.js';
