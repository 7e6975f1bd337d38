// Fused client: both ports of one process on a store that all processes share, where the record is the message.
//
// F1  A process that stands still or has crashed takes nothing: its receives end with it.

import type { Backend, Delivery, ReceiveRequest, Transport } from '@carillon/core/spi';
import { FusedTransport, type FusedStore } from '../../memory/fused-transport.js';
import { MemoryLedger } from '../../memory/memory-ledger.js';
import type { Incarnation } from '../world/host.js';
import type { Wire } from '../world/wire.js';
import type { SimulatedLedger } from './simulated-ledger.js';

/** One process's handle on a fused store. Its calls are local: they are not lost, but the process may die at each. */
export function fusedClient(server: SimulatedLedger, store: FusedStore, wire: Wire, process: Incarnation): Backend {
  const clock = { ...process.clock, now: () => server.now() };
  const ledger = new MemoryLedger(server.records, clock);
  const fused = new FusedTransport(store);
  const ask = <T>(name: string, call: () => Promise<T>): Promise<T> =>
    wire.ask(name, {}, () => server.serve(process.host, call));
  const receive = (request: ReceiveRequest): Promise<readonly Delivery[]> => {
    const { signal, end } = process.untilStill(request.signal); // F1
    return ask('receive', () => fused.receive({ ...request, signal })).finally(end);
  };
  const transport: Transport = {
    limits: fused.limits,
    open: () => fused.open(),
    close: () => fused.close(),
    send: (messages) => fused.send(messages),
    receive,
  };
  return {
    fused: true,
    transport,
    ledger: {
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
    },
  };
}
