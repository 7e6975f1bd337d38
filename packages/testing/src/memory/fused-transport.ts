// Fused memory transport: hands out the records of a memory store as deliveries, already acquired. The record is the
// message, so nothing is sent, and a delivery ends by what is committed.

import type {
  Clock,
  Delivery,
  Instant,
  Limits,
  OutgoingMessage,
  ReceiveRequest,
  SendOutcome,
  Transport,
} from '@carillon/core/spi';
import { CarillonError } from '@carillon/core/spi';
import { grantTo } from './claim.js';
import { attentionAt, handOut } from './records.js';
import type { Entry, Records } from './records.js';
import type { SortedSet } from '../sorted-set.js';
import type { WaitingRoom } from './waiting-room.js';

const NO_LIMITS: Limits = { horizonMs: Infinity, precisionMs: 0, maxBytes: Infinity, leaseMs: [1, Infinity] };
const NO_BODY = new Uint8Array();
const NOTHING: readonly Entry[] = [];

/** What a fused transport shares with the other handles on the same records. */
export interface FusedStore {
  readonly clock: Clock;
  readonly records: Records;
  readonly waiting: WaitingRoom;
  /** A name for a grant, unique in the store. */
  nonce(): string;
}

/** One handle on records in memory, as a transport. */
export class FusedTransport implements Transport {
  readonly limits = NO_LIMITS;
  readonly #store: FusedStore;
  #closed = false;

  constructor(store: FusedStore) {
    this.#store = store;
  }

  async open(): Promise<void> {
    this.#closed = false;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#store.waiting.wakeAll();
  }

  /** Refuses everything: a fused store has no messages but its records. */
  async send(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]> {
    return messages.map(() => ({ outcome: 'refused', reason: 'The record is the message: commit it.' }));
  }

  async receive(request: ReceiveRequest): Promise<readonly Delivery[]> {
    if (this.#closed) throw new CarillonError('E_STOPPED', 'This transport is closed.', { next: 'Open it again.' });
    const { queue, signal } = request;
    const { records, clock, waiting } = this.#store;
    for (;;) {
      if (this.#closed || signal.aborted) return [];
      const now = clock.now();
      const wanted = this.#choose(request, now);
      if (wanted.length > 0) return wanted.map((entry) => this.#deliver(entry, request, now));
      await waiting.wait(queue, nextAttention(records.queue(queue), now), signal);
    }
  }

  /** Records that want attention, without those whose task has no room; a full task never hides another's. */
  #choose({ queue, max, room }: ReceiveRequest, now: number): readonly Entry[] {
    const entries = this.#store.records.queue(queue);
    if (!wantsAttention(entries.first, now)) return NOTHING;
    const left = new Map(room);
    const chosen: Entry[] = [];
    for (const entry of entries) {
      if (chosen.length === max || attentionAt(entry.record)! > now) break;
      const free = left.get(entry.record.task) ?? Infinity;
      if (free <= 0) continue;
      left.set(entry.record.task, free - 1);
      chosen.push(entry);
    }
    return chosen;
  }

  #deliver({ record, nonce }: Entry, { holder, leaseMs }: ReceiveRequest, now: number): Delivery {
    const grant = grantTo(record, { holder, leaseMs, nonce: this.#store.nonce() }, now);
    this.#store.records.put({ record: grant.record, nonce });
    const nothingToDo = async (): Promise<'ok'> => 'ok';
    return {
      queue: record.queue,
      body: NO_BODY,
      attempt: grant.record.interrupted.length + 1,
      granted: { ...grant, record: handOut(grant.record) },
      ack: nothingToDo,
      extend: nothingToDo,
      release: nothingToDo,
    };
  }
}

function wantsAttention(entry: Entry | undefined, now: Instant): entry is Entry {
  return entry !== undefined && attentionAt(entry.record)! <= now;
}

/** When the first record that does not want attention yet will; undefined if there is none. */
function nextAttention(entries: SortedSet<Entry>, now: Instant): Instant | undefined {
  let next = entries.first;
  if (wantsAttention(next, now)) [next] = entries.from((entry) => wantsAttention(entry, now)); // its task has no room
  return next && attentionAt(next.record);
}
