// Message transport: the transport port on a store, alone. Whoever wants ledger and transport in one takes `embedded`.

import { checkLease } from '@carillon/core/spi';
import type { Delivery, Limits, OutgoingMessage, ReceiveRequest, SendOutcome, Transport } from '@carillon/core/spi';
import { PHASE } from './group-commit.js';
import type { Handle } from './handle.js';
import type { HeldMessage, Place } from './messages.js';
import type { Store } from './store.js';

const LIMITS: Limits = {
  horizonMs: Infinity,
  precisionMs: 0,
  maxBytes: 16 * 1024 * 1024,
  leaseMs: [1, 24 * 60 * 60 * 1000],
};

/** A transport in a folder. */
export class MessageTransport implements Transport {
  readonly limits = LIMITS;
  readonly #handle: Handle;
  readonly #held = new Set<{ place: Place }>();
  #stop = new AbortController();

  constructor(handle: Handle) {
    this.#handle = handle;
  }

  async open(): Promise<void> {
    await this.#handle.open();
    if (this.#stop.signal.aborted) this.#stop = new AbortController();
  }

  /** Ends every `receive`, and gives back what is held. */
  async close(): Promise<void> {
    this.#stop.abort();
    const store = this.#handle.opened;
    const held = [...this.#held];
    this.#held.clear();
    if (store && held.length > 0) {
      const release = (): void => {
        const now = this.#handle.clock.now();
        for (const { place } of held) if (place.at > now) store.messages.move(place, now, true);
      };
      await store.writer.request(PHASE.commit, held.length, false, release);
    }
    await this.#handle.close();
  }

  async send(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]> {
    const store = await this.#handle.store();
    const outcomes = messages.map(({ body }): SendOutcome | undefined => {
      if (body.length <= LIMITS.maxBytes) return undefined;
      const reason = `The message was refused: its body has ${body.length} bytes, and the limit is ${LIMITS.maxBytes}.`;
      return { outcome: 'refused', reason };
    });
    const wanted = messages.filter((_, i) => outcomes[i] === undefined);
    const durable = this.#handle.durability === 'fsync';
    const places = await store.writer
      .request(PHASE.commit, wanted.length, durable, () => store.messages.add(wanted))
      .catch((cause: unknown) => cause);
    let sent = 0;
    return outcomes.map((refusal) => {
      if (refusal) return refusal;
      if (!Array.isArray(places)) return { outcome: 'unknown', cause: places };
      return { outcome: 'sent', receipt: receiptOf(places[sent++] as Place) };
    });
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    const { queue, max, leaseMs, signal } = request;
    checkLease(leaseMs, LIMITS.leaseMs);
    const store = await this.#handle.store();
    const { clock } = this.#handle;
    const { signal: stop } = this.#stop;
    while (!signal.aborted && !stop.aborted) {
      const seen = store.lookToWait();
      const number = store.catalog.find(queue);
      const next = number === undefined ? Infinity : store.messages.nextAt(number);
      if (number === undefined || next > clock.now()) {
        await store.waiting.wait(number, next, seen, clock, signal);
        continue;
      }
      const run = (): readonly HeldMessage[] =>
        signal.aborted || stop.aborted
          ? []
          : store.messages.take(number, max, clock.now(), leaseMs, store.processes.own());
      const taken = await store.writer.request(PHASE.receive, max, false, run);
      if (taken.length > 0) return taken.map((held) => this.#deliver(store, queue, held));
    }
    return [];
  }

  /** Takes a message back, if it still stands where its receipt says. */
  async recall(receipt: string): Promise<void> {
    const store = await this.#handle.store();
    const [queue, at, sequence] = receipt.split('.').map(Number);
    if (queue === undefined || at === undefined || sequence === undefined) return;
    await store.writer.request(PHASE.commit, 1, false, () => store.messages.remove({ queue, at, sequence }));
  }

  #deliver(store: Store, queue: string, { body, attempt, ...place }: HeldMessage): Delivery {
    const held: { place: Place } = { place };
    this.#held.add(held);
    const { clock } = this.#handle;
    const settle = (what: (place: Place, now: number) => 'ok' | 'lost'): Promise<'ok' | 'lost'> =>
      store.writer.request(PHASE.commit, 1, false, () => {
        const now = clock.now();
        return held.place.at > now && store.messages.isHeld(held.place, attempt) ? what(held.place, now) : 'lost';
      });
    return {
      queue,
      body: new Uint8Array(body),
      attempt,
      ack: () => {
        this.#held.delete(held);
        return settle((place) => (store.messages.remove(place) ? 'ok' : 'lost'));
      },
      extend: async (leaseMs) => {
        checkLease(leaseMs, LIMITS.leaseMs);
        return settle((place, now) => {
          const moved = store.messages.move(place, now + leaseMs, false);
          if (moved) held.place = moved;
          return moved ? 'ok' : 'lost';
        });
      },
      release: (afterMs) => {
        this.#held.delete(held);
        return settle((place, now) => (store.messages.move(place, now + afterMs, true) ? 'ok' : 'lost'));
      },
    };
  }
}

function receiptOf({ queue, at, sequence }: Place): string {
  return `${queue}.${at}.${sequence}`;
}
