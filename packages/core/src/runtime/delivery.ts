// Delivery: the way of one acquired record from its grant to its ack.
//
//   (message.ts: decode → land or hop → acquire) → slot → `unless` → run under heartbeat → commit → flush the outbox → ack
//
// Y1  Ack only when the record is settled, the message is stale, or its successor is sent (I6); every step above may be
//     repeated, so a crash anywhere means another delivery and nothing worse.
// Y2  A lost lease ends the way without a word.
// Y3  A record that nothing can be decided about is set aside with its reason (I8); one of a kind that this engine does not
//     know is given back.
// Y4  A guard is the user's code: one that throws, or hangs beyond the job's time-out, says nothing, and the job goes on.
// Y5  A decision that also rests on other records is made again if one of them has changed meanwhile; it then sees what
//     stands where it wanted to place something new.
// Y6  A lease counts from when it was asked for, however late the answer comes: one that is nearly over by then is given
//     back, unstarted.

import type { Grant, Ledger, LedgerRecord, RecordKey, Write } from '../ports/ledger.js';
import type { Delivery } from '../ports/transport.js';
import type { Arrived, Guard, Kind, Step, Work } from '../task/kind.js';
import type { Logger } from '../task/logger.js';
import type { Clock, Ids, Timer } from '../time/clock.js';
import type { Attempts } from './attempts.js';
import type { Availability } from './availability.js';
import type { Events } from './events.js';
import type { Heartbeat, Held } from './heartbeat.js';
import { happened } from './hold.js';
import type { Landing, Turn } from './landing.js';
import type { LedgerTime } from './ledger-time.js';
import type { Outbox } from './outbox.js';
import type { Pauses } from './pauses.js';
import { type End, Passage } from './passage.js';
import { ackEnded, ackIf, GIVE_BACK_MS } from './receipt.js';
import type { Slots } from './slots.js';

/** What a delivery's way leads through. */
export interface DeliveryParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly time: LedgerTime;
  readonly availability: Availability;
  readonly events: Events;
  readonly kinds: ReadonlyMap<string, Kind>;
  readonly slots: Slots;
  readonly landing: Landing;
  readonly heartbeat: Heartbeat;
  readonly pauses: Pauses;
  readonly attempts: Attempts;
  readonly outbox: Outbox;
}

const FULL_RETRY_MS = 5_000;
const KEPT_OF_LEASE = 4 / 6; // T1 of heartbeat.ts
const ROUNDS = 20;
const NOTHING_SEEN: readonly (LedgerRecord | undefined)[] = [];
const NO_KEYS: readonly RecordKey[] = [];

/** Takes acquired records from grant to ack. */
export class Deliveries {
  readonly #parts: DeliveryParts;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  /** One delivery's way from its grant on, which was claimed at `claimedAt` by this host's monotonic clock; `landed` is called
   *  once it needs no room in the slots any more. */
  granted(delivery: Delivery, grant: Grant, landed: () => void, claimedAt?: number): Promise<void> {
    landed();
    return new Promise((resolve, reject) => {
      this.pass(delivery, grant, (_, error) => (error === undefined ? resolve() : reject(error)), claimedAt);
    });
  }

  /** The same without a promise: `end` is called at the end of the way. */
  pass(delivery: Delivery, grant: Grant, end: End, claimedAt: number = this.#parts.clock.monotonic()): void {
    const { slots, kinds } = this.#parts;
    const { record } = grant;
    const kind = kinds.get(record.key.kind);
    const passage = new Passage(this, delivery, grant, end);
    if (kind === undefined) passage.follow(this.#giveBack(delivery, grant));
    else if (this.#isNearlyOver(grant, claimedAt)) passage.follow(this.#release(delivery, grant, kind, 0)); // Y6
    else if (slots.take(delivery.queue, record.task)) this.#work(passage, kind, claimedAt);
    else void this.#queue(passage, kind);
  }

  #isNearlyOver({ at, record }: Grant, claimedAt: number): boolean {
    const leaseMs = (record.lease?.until ?? Infinity) - at;
    return this.#parts.clock.monotonic() - claimedAt >= leaseMs * KEPT_OF_LEASE;
  }

  async #queue(passage: Passage, kind: Kind): Promise<void> {
    const { slots, landing } = this.#parts;
    const { delivery, grant } = passage;
    const { record } = grant;
    const turn: Turn = (start) => slots.turn(delivery.queue, record.task, start);
    try {
      if (await landing.queue(delivery, leaseOf(grant), turn)) return this.#work(passage, kind);
      passage.follow(this.#release(delivery, grant, kind, landing.closed ? 0 : FULL_RETRY_MS));
    } catch (error) {
      passage.over(error);
    }
  }

  /** Whether the user's `unless` says that the job has no point any more (Y4). */
  async holds(guard: Guard): Promise<boolean> {
    const { clock, log } = this.#parts;
    const { task, jobId } = guard;
    let timer: Timer | undefined;
    try {
      const timeoutMs = guard.timeoutMs();
      const late = new Promise<'late'>((resolve) => {
        if (timeoutMs !== Infinity) timer = clock.after(timeoutMs, () => resolve('late'));
      });
      const answer = await Promise.race([guard.ask(), late]);
      if (answer === 'late') log.warn({ task, jobId, timeoutMs }, '`unless` ran into its time-out; the job goes on');
      return answer === true;
    } catch (error) {
      log.error({ err: error, task, jobId }, '`unless` threw; the job goes on');
      return false;
    } finally {
      timer?.cancel();
    }
  }

  /** Gives back the slot of a passage. */
  giveSlot(queue: string, task: string): void {
    this.#parts.slots.give(queue, task);
  }

  /** Goes on with a slot, which it holds until the handler has ended. */
  #work(passage: Passage, kind: Kind, claimedAt?: number): void {
    passage.takeSlot();
    const { grant } = passage;
    const concerned = kind.concerns?.(grant.record, grant.at) ?? NO_KEYS;
    if (concerned.length === 0) return this.#decide(passage, kind, NOTHING_SEEN, claimedAt);
    void this.#read(concerned).then(
      (seen) => (seen === undefined ? passage.over() : this.#decide(passage, kind, seen, claimedAt)),
      (error: unknown) => passage.over(error),
    );
  }

  #decide(passage: Passage, kind: Kind, seen: typeof NOTHING_SEEN, claimedAt: number | undefined): void {
    const { pauses, events, attempts } = this.#parts;
    const { delivery, grant } = passage;
    try {
      const arrived = this.#arrive(grant, kind, pauses.holds(delivery.queue, grant.record.task), seen);
      if (arrived.to === 'write') {
        passage.handlerEnded();
        return passage.follow(this.#write(delivery, grant, kind, arrived));
      }
      if (arrived.happenings.length > 0) events.tell(() => arrived.happenings);
      const { guard, work } = arrived;
      if (guard === undefined) return attempts.make(delivery, grant, work, passage, claimedAt);
      void this.#guarded(passage, kind, guard, work, claimedAt);
    } catch (error) {
      passage.over(error);
    }
  }

  async #guarded(passage: Passage, kind: Kind, guard: Guard, work: Work, claimedAt: number | undefined): Promise<void> {
    const { delivery, grant } = passage;
    try {
      const asked = await this.#ask(delivery, grant, guard);
      if (asked === 'lost') return passage.over();
      if (!asked.skip) return this.#parts.attempts.make(delivery, grant, work, passage, asked.renewedAt ?? claimedAt);
      passage.handlerEnded();
      passage.recorded(await this.#commit(delivery, grant, kind, guard.skip()));
    } catch (error) {
      passage.over(error);
    }
  }

  /** What to do with an acquired record; one that nothing can be decided about is set aside (Y3). */
  #arrive(grant: Grant, kind: Kind, paused: boolean, seen: readonly (LedgerRecord | undefined)[]): Arrived {
    try {
      return kind.arrive(grant.record, grant.at, paused, seen);
    } catch (error) {
      const reason = `unreadable: ${error instanceof Error ? error.message : String(error)}`;
      const expect = { version: grant.record.version, fence: grant.fence };
      return { to: 'write', step: kind.setAside(grant.record, expect, reason, grant.at), guard: undefined };
    }
  }

  /** The records that a decision about this one also rests on; undefined if the engine stops before they are read. */
  async #see(kind: Kind, { record, at }: Grant, failed?: Step): Promise<typeof NOTHING_SEEN | undefined> {
    const keys = [...(kind.concerns?.(record, at) ?? NO_KEYS), ...(failed === undefined ? NO_KEYS : placedBy(failed))];
    return keys.length === 0 ? NOTHING_SEEN : this.#read(keys);
  }

  #read(keys: readonly RecordKey[]): Promise<typeof NOTHING_SEEN | undefined> {
    const { ledger, availability } = this.#parts;
    return availability.persist(() => ledger.read(keys));
  }

  async #write(delivery: Delivery, grant: Grant, kind: Kind, arrived: Arrived & { to: 'write' }): Promise<void> {
    const asked = arrived.guard && (await this.#ask(delivery, grant, arrived.guard));
    if (asked === 'lost') return;
    const step = asked?.skip === true && arrived.guard !== undefined ? arrived.guard.skip() : arrived.step;
    await this.finish(delivery, grant.record.key, await this.#commit(delivery, grant, kind, step));
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
    const beat = heartbeat.add(held);
    const skip = await this.holds(guard);
    const renewedAt = heartbeat.remove(beat);
    return lost ? 'lost' : { skip, renewedAt };
  }

  /** Commits a step that needs no handler; undefined if the lease was lost or the record changed: the next delivery decides. */
  async #commit(
    delivery: Delivery,
    grant: Grant,
    kind: Kind,
    step: Step,
    round: number = 0,
  ): Promise<Step | undefined> {
    const { ledger, ids, availability } = this.#parts;
    const change = { nonce: ids.nonce(), writes: step.writes, durable: true };
    const [answer] = (await availability.persist(() => ledger.commit([change]))) ?? [];
    if (answer?.answer === 'ok') return step;
    if (answer?.answer === 'conflict' && !isSame(answer.key, grant.record.key)) {
      if (round < ROUNDS) await this.#release(delivery, grant, kind, 0, { round: round + 1, failed: step }); // Y5
      return undefined;
    }
    if (answer?.answer === 'conflict' && answer.record?.fence === grant.fence) {
      if (answer.record.lease === undefined) return happened(step, answer.record); // U2 of attempts.ts
      await this.#release(delivery, { ...grant, record: answer.record }, kind, 0); // somebody left a wish: look again
    }
    return undefined;
  }

  /** Gives back, uncounted, what was acquired and can't start now, to be delivered again after a while; what needs no handler
   *  is decided again instead, with the step that failed in view. */
  async #release(
    delivery: Delivery,
    grant: Grant,
    kind: Kind,
    afterMs: number,
    { round, failed }: { readonly round: number; readonly failed?: Step } = { round: 0 },
  ): Promise<void> {
    const now = this.#parts.time.now();
    const seen = kind.concerns === undefined ? NOTHING_SEEN : await this.#see(kind, grant, failed);
    if (seen === undefined) return;
    const arrived = this.#arrive(grant, kind, false, seen);
    const step = arrived.to === 'run' ? arrived.work.release(grant.record, now, now + afterMs) : arrived.step;
    await this.finish(delivery, grant.record.key, await this.#commit(delivery, grant, kind, step, round));
  }

  /** Gives back a record of a kind that only a newer version knows (Y3). */
  async #giveBack(delivery: Delivery, { record, fence }: Grant): Promise<void> {
    const { ledger, ids, availability, time } = this.#parts;
    const { key, version, fence: _fence, lease: _lease, interrupted: _interrupted, ...content } = record;
    const later = { ...content, wakeAt: time.now() + GIVE_BACK_MS };
    const write: Write = { do: 'put', key, expect: { version, fence }, content: later };
    await availability.persist(() => ledger.commit([{ nonce: ids.nonce(), writes: [write], durable: true }]));
    await ackIf(delivery, false, availability);
  }

  /** The rest of the way once a step is committed; undefined if nothing is left to wait for. */
  finish(delivery: Delivery, key: RecordKey, step: Step | undefined): Promise<void> | undefined {
    if (step === undefined) return undefined; // Y2: lost, or given up at the stop
    this.#parts.events.tell(step.happenings);
    if (step.outbox.length > 0) return this.#sendAndAck(delivery, key, step);
    if (delivery.granted === undefined) return ackIf(delivery, true, this.#parts.availability); // Y1
    ackEnded(delivery, this.#parts.availability);
    return undefined;
  }

  async #sendAndAck(delivery: Delivery, key: RecordKey, step: Step): Promise<void> {
    const { outbox, availability } = this.#parts;
    await ackIf(delivery, await outbox.send(key, step.outbox), availability); // Y1
  }
}

/** The records that a step wanted to be the first to write. */
function placedBy({ writes }: Step): readonly RecordKey[] {
  return writes.filter((write) => write.do === 'put' && 'absent' in write.expect).map(({ key }) => key);
}

function isSame(a: RecordKey, b: RecordKey): boolean {
  return a.kind === b.kind && a.id === b.id;
}

function leaseOf({ record, fence }: Grant): NonNullable<Held['lease']> {
  return { key: record.key, fence, version: () => record.version };
}
