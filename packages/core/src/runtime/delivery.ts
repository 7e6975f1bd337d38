// Delivery: the way of one delivery from its arrival to its ack.
//
//   decode → land or hop → acquire → (unless) → run under heartbeat → commit → flush the outbox → ack
//
// Y1  Ack only when the record is settled, the message is stale, or its successor is sent (I6); every step above may be
//     repeated, so a crash anywhere means another delivery and nothing worse.
// Y2  A busy record is given back, never acked; a lost lease ends the way without a word.
// Y3  Nothing starts before its due time (I5), and a cancel counts until the acquire, which comes after the landing.
// Y4  One bad message never stops a consumer and never loops: it is set aside with its reason (I8).

import { decodeEnvelope, type Envelope } from '../message/envelope.js';
import type { ClaimAnswer, Grant, Ledger, LedgerRecord, RecordKey, Write } from '../ports/ledger.js';
import type { Delivery } from '../ports/transport.js';
import type { Arrived, Guard, Kind, Step } from '../task/kind.js';
import type { Clock, Ids, Random } from '../time/clock.js';
import type { Attempts } from './attempts.js';
import type { Availability } from './availability.js';
import { UNKNOWN } from '../job/arrive.js';
import { lostRecord, malformedRecord } from '../job/dead-letter.js';
import type { Events } from './events.js';
import type { Heartbeat, Held } from './heartbeat.js';
import type { Landing, Turn } from './landing.js';
import type { LedgerTime } from './ledger-time.js';
import type { Outbox } from './outbox.js';
import type { Pauses } from './pauses.js';
import type { Slots } from './slots.js';

/** What a delivery's way leads through. */
export interface DeliveryParts {
  readonly namespace: string;
  readonly ledger: Ledger;
  readonly maxBytes: number;
  readonly leaseMs: number;
  readonly worker: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly time: LedgerTime;
  readonly availability: Availability;
  readonly events: Events;
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly slots: Slots;
  readonly landing: Landing;
  /** How early a delivery may come to be held until it is due, in milliseconds. */
  readonly landingMs: () => number;
  readonly heartbeat: Heartbeat;
  readonly pauses: Pauses;
  readonly attempts: Attempts;
  readonly outbox: Outbox;
}

const UNKNOWN_RETRY_MS = 15_000;
const FULL_RETRY_MS = 5_000;

/** Takes deliveries from arrival to ack. */
export class Deliveries {
  readonly #parts: DeliveryParts;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** One delivery's whole way; never rejects, whatever the backend or the message does. */
  async handle(delivery: Delivery, landed: () => void): Promise<void> {
    try {
      await this.#handle(delivery, landed);
    } catch (error) {
      this.#parts.attempts.log.error({ err: error }, 'a delivery could not be handled; it will come again');
      await this.#giveBack(delivery, UNKNOWN_RETRY_MS);
    }
  }

  async #handle(delivery: Delivery, landed: () => void): Promise<void> {
    if (delivery.granted !== undefined) return this.#granted(delivery, delivery.granted);

    const decoded = decodeEnvelope(delivery.body, this.#parts.maxBytes);
    if (decoded.is === 'newer') return this.#stranger(delivery, 'written by a newer version');
    if (decoded.is === 'malformed') return this.#setAside(delivery, decoded.reason);
    const kind = this.#parts.kinds.get(decoded.envelope.key.kind);
    if (kind === undefined) return this.#stranger(delivery, `unknown kind of record: ${decoded.envelope.key.kind}`);
    return this.#message(delivery, decoded.envelope, kind, landed);
  }

  /** A message that a newer version may know: given back for a while, then set aside (Y4). */
  async #stranger(delivery: Delivery, reason: string): Promise<void> {
    if (delivery.attempt * UNKNOWN.everyMs > UNKNOWN.forMs) return this.#setAside(delivery, reason);
    return this.#giveBack(delivery, UNKNOWN.everyMs);
  }

  async #message(delivery: Delivery, envelope: Envelope, kind: Kind, landed: () => void): Promise<void> {
    const { time, landing, landingMs } = this.#parts;
    let dueAt = envelope.dueAt;
    for (;;) {
      const aheadMs = time.until(dueAt);
      if (aheadMs > 0 && aheadMs <= landingMs()) {
        landed();
        if (!(await landing.hold(delivery, dueAt))) return this.#giveBack(delivery, aheadMs);
      }

      const answer = await this.#acquire(delivery, envelope, kind);
      switch (answer?.answer) {
        case undefined:
          return this.#giveBack(delivery, UNKNOWN_RETRY_MS);
        case 'granted':
          return this.#grantedMessage(delivery, answer, landed);
        case 'busy':
          return this.#giveBack(delivery, answer.retryInMs); // Y2
        case 'settled':
        case 'stale':
          return this.#ackIf(delivery, await this.#parts.outbox.flush(answer.record)); // Y1
        case 'absent':
          return this.#lost(delivery, envelope);
        case 'early':
          if (answer.inMs > landingMs()) return this.#hop(delivery, envelope, kind, answer.record);
          dueAt = answer.record.dueAt;
      }
    }
  }

  async #acquire(delivery: Delivery, envelope: Envelope, kind: Kind): Promise<ClaimAnswer | undefined> {
    const { ledger, ids, availability, worker, leaseMs, time } = this.#parts;
    const { key, generation } = envelope;
    const create =
      envelope.body === undefined ? undefined : kind.create(envelope, delivery.queue, time.now(), delivery.attempt > 1);
    if (create !== undefined && 'malformed' in create) {
      await this.#setAside(delivery, create.malformed);
      return undefined;
    }
    const claim = { key, generation, holder: worker, nonce: ids.nonce(), leaseMs, ...(create && { create }) };
    return (await availability.persist(() => ledger.acquire([claim])))?.[0];
  }

  /** A message's record was acquired: it needs a slot before it may start. */
  async #grantedMessage(delivery: Delivery, grant: Grant, landed: () => void): Promise<void> {
    const { slots, landing, kinds } = this.#parts;
    const { record } = grant;
    landed();
    if (slots.take(delivery.queue, record.task)) return this.#work(delivery, grant);
    const turn: Turn = (start) => slots.turn(delivery.queue, record.task, start);
    if (await landing.queue(delivery, leaseOf(grant), turn)) return this.#work(delivery, grant);
    await this.#release(delivery, grant, required(kinds.get(record.key.kind)), landing.closed ? 0 : FULL_RETRY_MS);
  }

  async #granted(delivery: Delivery, grant: Grant): Promise<void> {
    const { slots, kinds } = this.#parts;
    const kind = kinds.get(grant.record.key.kind);
    if (kind === undefined) return; // a newer version's concept: its lease ends, and an engine that knows it takes it
    if (slots.take(delivery.queue, grant.record.task)) return this.#work(delivery, grant);
    await this.#release(delivery, grant, kind, 0);
  }

  /** Gives back, uncounted, what was acquired and can't start now, to be delivered again after a while. */
  async #release(delivery: Delivery, grant: Grant, kind: Kind, afterMs: number): Promise<void> {
    const now = this.#parts.time.now();
    const arrived = this.#arrive(grant, kind, false);
    const step = arrived.to === 'run' ? arrived.work.release(grant.record, now, now + afterMs) : arrived.step;
    await this.#finish(delivery, grant.record.key, await this.#commit(delivery, grant, kind, step));
  }

  /** What to do with an acquired record; one that nothing can be decided about is set aside (Y4). */
  #arrive(grant: Grant, kind: Kind, paused: boolean): Arrived {
    try {
      return kind.arrive(grant.record, grant.at, paused);
    } catch (error) {
      const reason = `unreadable: ${error instanceof Error ? error.message : String(error)}`;
      const expect = { version: grant.record.version, fence: grant.fence };
      return { to: 'write', step: kind.setAside(grant.record, expect, reason, grant.at), guard: undefined };
    }
  }

  /** Holds a slot from here until the handler has ended. */
  async #work(delivery: Delivery, grant: Grant): Promise<void> {
    const { kinds, pauses, slots, events, attempts } = this.#parts;
    const { record } = grant;
    let slot = true;
    const giveSlot = (): void => {
      if (slot) slots.give(delivery.queue, record.task);
      slot = false;
    };
    try {
      const kind = required(kinds.get(record.key.kind));
      const arrived = this.#arrive(grant, kind, pauses.holds(delivery.queue, record.task));
      if (arrived.to === 'write') {
        giveSlot();
        return await this.#write(delivery, grant, kind, arrived);
      }
      if (arrived.happenings.length > 0) events.tell(() => arrived.happenings);
      const asked = arrived.guard && (await this.#ask(delivery, grant, arrived.guard));
      if (asked === 'lost') return;
      if (asked?.skip === true && arrived.guard !== undefined) {
        giveSlot();
        const skip = await this.#commit(delivery, grant, kind, arrived.guard.skip());
        return await this.#finish(delivery, record.key, skip);
      }
      const step = await attempts.make(delivery, grant, arrived.work, giveSlot, asked?.renewedAt);
      await this.#finish(delivery, record.key, step);
    } finally {
      giveSlot();
    }
  }

  async #write(delivery: Delivery, grant: Grant, kind: Kind, arrived: Arrived & { to: 'write' }): Promise<void> {
    const asked = arrived.guard && (await this.#ask(delivery, grant, arrived.guard));
    if (asked === 'lost') return;
    const step = asked?.skip === true && arrived.guard !== undefined ? arrived.guard.skip() : arrived.step;
    await this.#finish(delivery, grant.record.key, await this.#commit(delivery, grant, kind, step));
  }

  /** Asks a guard while the heartbeat keeps the lease: it is the user's code and may take its time. */
  async #ask(
    delivery: Delivery,
    grant: Grant,
    guard: Guard,
  ): Promise<{ skip: boolean; renewedAt: number | undefined } | 'lost'> {
    const { heartbeat } = this.#parts;
    let lost = false;
    const held: Held = { delivery, lease: leaseOf(grant), onLost: () => (lost = true) };
    heartbeat.add(held);
    const skip = await this.#holds(guard);
    const renewedAt = heartbeat.remove(held);
    return lost ? 'lost' : { skip, renewedAt };
  }

  async #hop(delivery: Delivery, envelope: Envelope, kind: Kind, record: LedgerRecord): Promise<void> {
    const { ledger, ids, availability, outbox, events, time } = this.#parts;
    const early = kind.early(record, envelope, time.now());
    if (early.to === 'ack') return this.#ackIf(delivery, await outbox.flush(record));
    const step = early.guard !== undefined && (await this.#holds(early.guard)) ? early.guard.skip() : early.step;
    const change = { nonce: ids.nonce(), writes: step.writes, durable: true };
    const [answer] = (await availability.persist(() => ledger.commit([change]))) ?? [];
    if (answer?.answer !== 'ok') return this.#giveBack(delivery, 0); // somebody else was faster: look again
    events.tell(step.happenings);
    await this.#ackIf(delivery, await outbox.send(record.key, step.outbox)); // Y1
  }

  /** Commits a step that needs no handler; undefined if the lease was lost or the record changed: the next delivery decides. */
  async #commit(delivery: Delivery, grant: Grant, kind: Kind, step: Step): Promise<Step | undefined> {
    const { ledger, ids, availability } = this.#parts;
    const change = { nonce: ids.nonce(), writes: step.writes, durable: true };
    const [answer] = (await availability.persist(() => ledger.commit([change]))) ?? [];
    if (answer?.answer === 'ok') return step;
    if (answer?.answer === 'conflict' && answer.record?.fence === grant.fence)
      await this.#release(delivery, { ...grant, record: answer.record }, kind, 0); // somebody left a wish: look again
    return undefined;
  }

  async #finish(delivery: Delivery, key: RecordKey, step: Step | undefined): Promise<void> {
    if (step === undefined) return; // Y2: lost, or given up at the stop
    this.#parts.events.tell(step.happenings);
    await this.#ackIf(delivery, await this.#parts.outbox.send(key, step.outbox)); // Y1
  }

  async #holds(guard: Guard): Promise<boolean> {
    try {
      return await guard.ask();
    } catch (error) {
      this.#parts.attempts.log.error({ err: error }, '`unless` threw; the job goes on');
      return false;
    }
  }

  async #lost(delivery: Delivery, envelope: Envelope): Promise<void> {
    const { events, namespace } = this.#parts;
    const { id, write } = lostRecord(namespace, envelope, delivery.queue, this.#parts.time.now());
    events.emit('ledger:loss', { id, task: envelope.task });
    await this.#bury(delivery, write);
  }

  async #setAside(delivery: Delivery, reason: string): Promise<void> {
    const { events, namespace, ids, time } = this.#parts;
    const { id, write } = malformedRecord(namespace, ids.job(), delivery, reason, time.now());
    events.emit('delivery:malformed', { id, queue: delivery.queue, reason });
    await this.#bury(delivery, write);
  }

  async #bury(delivery: Delivery, write: Write): Promise<void> {
    const { ledger, ids, availability } = this.#parts;
    const change = { nonce: ids.nonce(), writes: [write], durable: true };
    const answers = await availability.persist(() => ledger.commit([change]));
    await this.#ackIf(delivery, answers !== undefined);
  }

  async #ackIf(delivery: Delivery, done: boolean): Promise<void> {
    if (!done) return this.#giveBack(delivery, UNKNOWN_RETRY_MS);
    await this.#quietly(() => delivery.ack());
  }

  async #giveBack(delivery: Delivery, afterMs: number): Promise<void> {
    await this.#quietly(() => delivery.release(afterMs));
  }

  /** An ack or release that fails means one more delivery, which is harmless: report it and go on. */
  async #quietly(call: () => Promise<unknown>): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.#parts.availability.report(error);
    }
  }
}

function leaseOf({ record, fence }: Grant): NonNullable<Held['lease']> {
  return { key: record.key, fence, version: () => record.version };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('unreachable: the kind was looked up on the way here');
  return value;
}
