// Message: the way of one message from its arrival until its record is acquired.
//
//   decode → land or hop → acquire → (delivery.ts: run → commit → flush → ack)
//
// V1  Nothing is acquired before its due time (I5), and a cancel counts until the acquire, which comes after the landing.
// V2  A busy record is given back, never acked; what is settled or stale is acked once its outbox is sent (I6).
// V3  One bad message never stops a consumer and never loops: it is set aside with its reason (I8). What a newer version
//     may know is given back for a while before that.
// V4  What is nearly due does not hop: if the broker's clock is ahead of the ledger's, its next message would come at once,
//     and so on, without a pause.
// V5  A message that brings other work than the record under its id holds is set aside with its reason, and never passes for
//     a copy. If its delivery won the record, the work of the record goes on with it.

import { UNKNOWN } from '../job/arrive.js';
import { lostRecord, malformedRecord } from '../job/dead-letter.js';
import { decodeEnvelope, type Envelope } from '../message/envelope.js';
import { idOf } from '../message/names.js';
import type { ClaimAnswer, Ledger, LedgerRecord, Write } from '../ports/ledger.js';
import type { Delivery } from '../ports/transport.js';
import type { Kind } from '../task/kind.js';
import type { Clock, Ids } from '../time/clock.js';
import type { Availability } from './availability.js';
import type { Deliveries } from './delivery.js';
import type { Events } from './events.js';
import { type Landing, LANDING_MS } from './landing.js';
import type { LedgerTime } from './ledger-time.js';
import type { Outbox } from './outbox.js';
import { ackIf, GIVE_BACK_MS, giveBack } from './receipt.js';

/** What is due within this is waited for with the message that has come, in milliseconds. */
const NEAR_MS = 60_000;

/** What a message's way leads through. */
export interface MessageParts {
  readonly namespace: string;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly maxBytes: number;
  readonly leaseMs: number;
  readonly worker: string;
  readonly ids: Ids;
  readonly time: LedgerTime;
  readonly availability: Availability;
  readonly events: Events;
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly landing: Landing;
  /** How early a message may come to be held until it is due, in milliseconds. */
  readonly landingMs: () => number;
  readonly outbox: Outbox;
  readonly deliveries: Deliveries;
}

/** Told, once, that a delivery needs no room in the slots any more; and for how long it is held, if it is not due yet. */
export type Landed = (aheadMs?: number) => void;

/** Takes messages from arrival to acquisition. */
export class Messages {
  readonly #parts: MessageParts;

  constructor(parts: MessageParts) {
    this.#parts = parts;
  }

  /** One message's way; `landed` is called at once if it is held without a slot. */
  async handle(delivery: Delivery, landed: Landed): Promise<void> {
    const { kinds, maxBytes } = this.#parts;
    const decoded = decodeEnvelope(delivery.body, maxBytes);
    if (decoded.is === 'newer') return this.#stranger(delivery, 'written by a newer version');
    if (decoded.is === 'malformed') return this.#setAside(delivery, decoded.reason);
    const { envelope } = decoded;
    const kind = kinds.get(envelope.key.kind);
    if (kind === undefined) return this.#stranger(delivery, `unknown kind of record: ${envelope.key.kind}`);
    return this.#land(delivery, envelope, kind, landed);
  }

  async #land(delivery: Delivery, envelope: Envelope, kind: Kind, landed: Landed): Promise<void> {
    const { clock, time, landing, landingMs, deliveries, outbox, availability } = this.#parts;
    let dueAt = envelope.dueAt;
    for (;;) {
      const aheadMs = time.until(dueAt);
      if (aheadMs > 0 && aheadMs <= landingMs()) {
        if (landing.room > 0) landed(aheadMs); // G1 of landing.ts
        if (!(await landing.hold(delivery, dueAt))) return giveBack(delivery, aheadMs, availability); // V1
      }

      const askedAt = time.asking();
      const claimedAt = clock.monotonic();
      const answer = await this.#acquire(delivery, envelope, kind);
      switch (answer?.answer) {
        case undefined:
          return;
        case 'granted':
          return deliveries.granted(delivery, answer, landed, claimedAt);
        case 'busy':
          return giveBack(delivery, answer.retryInMs, availability); // V2
        case 'settled':
        case 'stale':
          return ackIf(delivery, await outbox.flush(answer.record), availability); // V2
        case 'absent':
          return this.#lost(delivery, envelope);
        case 'unreadable':
          return this.#stranger(delivery, answer.reason); // V3
        case 'early':
          if (answer.inMs > NEAR_MS) return this.#hop(delivery, envelope, kind, answer.record);
          if (answer.inMs > landingMs()) return giveBack(delivery, answer.inMs - LANDING_MS / 2, availability); // V4
          time.hear(answer.record.dueAt - answer.inMs, askedAt); // else the same early instant would be tried again at once
          dueAt = Math.max(answer.record.dueAt, time.now() + answer.inMs);
      }
    }
  }

  /** The ledger's answer; undefined if the delivery has been dealt with. */
  async #acquire(delivery: Delivery, envelope: Envelope, kind: Kind): Promise<ClaimAnswer | undefined> {
    const { ledger, ids, availability, worker, leaseMs, time } = this.#parts;
    const { key, generation, body } = envelope;
    const create =
      body === undefined ? undefined : kind.create(envelope, delivery.queue, time.now(), delivery.attempt > 1);
    if (create !== undefined && 'malformed' in create) {
      await this.#setAside(delivery, create.malformed);
      return undefined;
    }
    const claim = { key, generation, holder: worker, nonce: ids.nonce(), leaseMs, ...(create && { create }) };
    const answers = await availability.persist(() => ledger.acquire([claim]));
    if (answers === undefined) await giveBack(delivery, GIVE_BACK_MS, availability);
    const answer = answers?.[0];
    if (answer === undefined || !('record' in answer) || create?.brief === undefined) return answer;
    const brief = kind.brief?.(answer.record);
    if (brief === undefined || brief === create.brief) return answer;
    const reason = `another payload than the job ${idOf(this.#parts.namespace, key)} of the same id has`; // V5
    const reported = await this.#report(delivery, reason);
    if (answer.answer === 'granted') return answer;
    await ackIf(delivery, reported, availability);
    return undefined;
  }

  async #hop(delivery: Delivery, envelope: Envelope, kind: Kind, record: LedgerRecord): Promise<void> {
    const { ledger, ids, availability, outbox, events, time, deliveries } = this.#parts;
    const early = kind.early(record, envelope, time.now());
    if (early.to === 'ack') return ackIf(delivery, await outbox.flush(record), availability);
    const skip = early.guard !== undefined && (await deliveries.holds(early.guard));
    const step = skip && early.guard !== undefined ? early.guard.skip() : early.step;
    const change = { nonce: ids.nonce(), writes: step.writes, durable: true };
    const [answer] = (await availability.persist(() => ledger.commit([change]))) ?? [];
    if (answer?.answer !== 'ok') return giveBack(delivery, 0, availability); // somebody else was faster: look again
    events.tell(step.happenings);
    await ackIf(delivery, await outbox.send(record.key, step.outbox), availability);
  }

  /** A message that a newer version may know: given back for a while, then set aside (V3). */
  async #stranger(delivery: Delivery, reason: string): Promise<void> {
    if (delivery.attempt * UNKNOWN.everyMs > UNKNOWN.forMs) return this.#setAside(delivery, reason);
    return giveBack(delivery, UNKNOWN.everyMs, this.#parts.availability);
  }

  async #lost(delivery: Delivery, envelope: Envelope): Promise<void> {
    const { events, namespace, time, availability } = this.#parts;
    const { id, write } = lostRecord(namespace, envelope, delivery.queue, time.now());
    events.emit('ledger:loss', { id, task: envelope.task });
    await ackIf(delivery, await this.#bury(write), availability);
  }

  async #setAside(delivery: Delivery, reason: string): Promise<void> {
    await ackIf(delivery, await this.#report(delivery, reason), this.#parts.availability);
  }

  /** Tells of a message that can't be taken, and keeps it where it is listed; answers whether that is done. */
  async #report(delivery: Delivery, reason: string): Promise<boolean> {
    const { events, namespace, ids, time } = this.#parts;
    const { id, write } = malformedRecord(namespace, ids.job(), delivery, reason, time.now());
    events.emit('delivery:malformed', { id, queue: delivery.queue, reason });
    return this.#bury(write);
  }

  async #bury(write: Write): Promise<boolean> {
    const { ledger, ids, availability } = this.#parts;
    const change = { nonce: ids.nonce(), writes: [write], durable: true };
    return (await availability.persist(() => ledger.commit([change]))) !== undefined;
  }
}
