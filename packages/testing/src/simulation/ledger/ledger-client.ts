// Ledger client: the ledger port of one process, over a wire to the simulated ledger.

import type { Ledger } from '@carillon/core/spi';
import { MemoryLedger } from '../../memory/memory-ledger.js';
import type { Incarnation } from '../world/host.js';
import type { Weather, Wire } from '../world/wire.js';
import type { SimulatedLedger } from './simulated-ledger.js';

const NETWORK: Weather = { requestLost: 'request-lost', answerLost: 'answer-lost', slow: true };

/** One process's handle on the ledger. */
export function ledgerClient(server: SimulatedLedger, wire: Wire, { host, clock }: Incarnation): Ledger {
  const ledger = new MemoryLedger(server.records, { ...clock, now: () => server.now() });
  const ask = <T>(name: string, call: () => Promise<T>): Promise<T> =>
    wire.ask(name, NETWORK, () => server.serve(host, call));
  return {
    durability: ledger.durability,
    partitioned: ledger.partitioned,
    open: () => ask('open', () => ledger.open()),
    close: () => ledger.close(),
    now: () => ask('now', () => ledger.now()),
    acquire: (claims) => ask('acquire', () => ledger.acquire(claims)),
    renew: (renewals) => ask('renew', () => ledger.renew(renewals)),
    commit: (changes) => ask('commit', () => ledger.commit(changes)),
    read: (keys) => ask('read', () => ledger.read(keys)),
    due: (query) => ask('due', () => ledger.due(query)),
    list: (query) => ask('list', () => ledger.list(query)),
  };
}
