// Fused transport: hands out the records of a store as deliveries, already acquired. The record is the message, so
// nothing is sent, and a delivery ends by what is committed.

import type {
  Clock,
  Delivery,
  Limits,
  OutgoingMessage,
  ReceiveRequest,
  SendOutcome,
  Transport,
} from '@carillon/core/spi';
import { grant } from './claim.js';
import { PHASE } from './group-commit.js';
import type { Handle } from './handle.js';
import { LEASED_RECORD } from './keys.js';
import type { Store } from './store.js';

const LIMITS: Limits = { horizonMs: Infinity, precisionMs: 0, maxBytes: Infinity, leaseMs: [1, Infinity] };
const NO_BODY = new Uint8Array();
const nothingToDo = (): Promise<'ok'> => Promise.resolve('ok');

/** The transport of a backend whose ledger is the same store. */
export class FusedTransport implements Transport {
  readonly limits = LIMITS;
  readonly #handle: Handle;
  #stop = new AbortController();
  #grants = 0;

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  async open(): Promise<void> {
    await this.#handle.open();
    if (this.#stop.signal.aborted) this.#stop = new AbortController();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#handle.close();
  }

  /** Refuses everything: a fused store has no messages but its records. */
  async send(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]> {
    return messages.map(() => ({ outcome: 'refused', reason: 'The record is the message: commit it.' }));
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    const store = this.#handle.opened ?? (await this.#handle.store());
    const { clock, durability } = this.#handle;
    const { signal: stop } = this.#stop;
    const { queue, max, signal } = request;
    let join = store.writer.busy; // a batch that runs anyway may as well bring the next deliveries
    while (!signal.aborted && !stop.aborted) {
      if (!join) {
        const seen = store.lookToWait();
        const now = clock.now();
        const number = store.catalog.find(queue);
        const next =
          number === undefined ? Infinity : store.intake.nextAt(number, store.intake.room(request.room), now);
        if (next > now) {
          await store.waiting.wait(number, next, seen, clock, signal);
          continue;
        }
      }
      join = false;
      const run = (): Delivery[] => (signal.aborted || stop.aborted ? [] : this.#take(store, request, clock));
      const deliveries = await store.writer.request(PHASE.receive, max, false, run);
      if (deliveries.length === 0) continue;
      const mustLast = deliveries.some(({ granted }) => granted!.record.durableGrant);
      if (mustLast && durability === 'fsync') await store.environment.sync();
      return deliveries;
    }
    return [];
  }

  #take(store: Store, { queue, max, room, holder, leaseMs }: ReceiveRequest, clock: Clock): Delivery[] {
    const { catalog, intake, records, processes } = store;
    const number = catalog.find(queue);
    if (number === undefined) return [];
    const now = clock.now();
    const chosen = intake.choose(number, max, intake.room(room), now);
    if (chosen.length === 0) return [];
    const process = processes.own();
    const deliveries: Delivery[] = [];
    for (const { indexKey, start } of chosen) {
      const isLeased = start === LEASED_RECORD;
      const head = isLeased ? records.findAt(indexKey, start) : records.findUnleased(indexKey, start);
      if (head === undefined) {
        (isLeased ? records.leases.byRecord : records.waiting).remove(indexKey); // it stands for nothing
        continue;
      }
      this.#grants += 1;
      const nonce = `r${process}.${this.#grants}`;
      const key = records.nameAt(indexKey, start);
      const granted = grant(records, key, head, { holder, leaseMs, nonce, process }, now);
      const attempt = granted.record.interrupted.length + 1;
      deliveries.push({
        queue,
        body: NO_BODY,
        attempt,
        granted,
        ack: nothingToDo,
        extend: nothingToDo,
        release: nothingToDo,
      });
    }
    return deliveries;
  }
}
