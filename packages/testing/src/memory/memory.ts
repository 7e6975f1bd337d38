// Memory: backends that live and die with the process, for tests and as the reference of both ports.

import type { Backend, Clock, Limits } from '@carillon/core/spi';
import { systemClock } from '@carillon/core/spi';
import { FusedTransport } from './fused-transport.js';
import type { FusedStore } from './fused-transport.js';
import { MemoryLedger } from './memory-ledger.js';
import { MemoryQueues } from './memory-queues.js';
import { MemoryTransport } from './memory-transport.js';
import type { MemoryBroker } from './memory-transport.js';
import { Records } from './records.js';
import { WaitingRoom } from './waiting-room.js';

const LIMITS: Limits = {
  horizonMs: Infinity,
  precisionMs: 0,
  maxBytes: 4 * 1024 * 1024,
  leaseMs: [1, 24 * 60 * 60 * 1000],
};

/** Options of `memory`. */
export interface MemoryOptions {
  /** The clock of both ports; by default the host's. */
  readonly clock?: Clock;
  /** What the transport can do. By default no horizon, delivery on the millisecond, 4 MiB, leases of 1 ms to 24 h. */
  readonly limits?: Partial<Limits>;
}

/** A backend in memory. */
export interface MemoryBackend extends Backend {
  /** Another handle on the same records and messages, as another process would hold one; closed on its own. */
  readonly another: () => MemoryBackend;
}

/** A transport and a ledger in memory, apart from each other as a broker and a database are. */
export function memory(options: MemoryOptions = {}): MemoryBackend {
  const clock = options.clock ?? systemClock;
  const limits: Limits = Object.freeze({ ...LIMITS, ...options.limits });
  const broker: MemoryBroker = { clock, limits, queues: new MemoryQueues(), waiting: new WaitingRoom(clock) };
  const records = new Records();
  const handle = (): MemoryBackend => ({
    transport: new MemoryTransport(broker),
    ledger: new MemoryLedger(records, clock),
    another: handle,
  });
  return handle();
}

/** Both ports in one store in memory, fused: the record is the message. */
export function memoryStore(options: Pick<MemoryOptions, 'clock'> = {}): MemoryBackend {
  const clock = options.clock ?? systemClock;
  const waiting = new WaitingRoom(clock);
  const records = new Records((_before, after) => after && waiting.wake(after.record.queue));
  let grants = 0;
  const store: FusedStore = { clock, waiting, records, nonce: () => `received-${(grants += 1)}` };
  const handle = (): MemoryBackend => ({
    transport: new FusedTransport(store),
    ledger: new MemoryLedger(records, clock),
    fused: true,
    another: handle,
  });
  return handle();
}
