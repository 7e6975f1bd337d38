// Heartbeat: keeps what this engine holds: renews leases and extends deliveries at a third of their length.
//
// T1  A lease that could not be renewed counts as lost a margin before it ends, by this host's own monotonic clock, so
//     that a handler is told to stop while it is still alone.
// T2  One timer and one call serve everything that is held.
// T3  What comes with an old lease, as after a claim that was answered late, is kept alive at once, not at the next beat.

import type { Ledger, RecordKey, RenewalAnswer } from '../ports/ledger.js';
import type { Delivery } from '../ports/transport.js';
import type { Clock, Timer } from '../time/clock.js';
import type { Availability } from './availability.js';
import { type Member, Roster } from './roster.js';

/** Something that is held and must be kept alive. */
export interface Held {
  /** The lease, once there is one; without it only the delivery is extended. */
  readonly lease?: { readonly key: RecordKey; readonly fence: number; readonly version: () => number };
  readonly delivery: Delivery;
  /** The lease or the delivery is gone. */
  onLost(): void;
  /** Somebody changed the record: read it, there may be a wish. */
  onMoved?(): void;
}

/** The heartbeat of one thing that is held. */
export interface Beat extends Member {
  readonly held: Held;
  /** When it was last kept alive, by this host's monotonic clock. */
  beatenAt: number;
}

/** The heartbeat of one engine. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #availability: Availability;
  readonly #leaseMs: number;
  readonly #beats = new Roster<Beat>();
  #timer: Timer | undefined;

  constructor(parts: { clock: Clock; ledger: Ledger; availability: Availability; leaseMs: number }) {
    this.#clock = parts.clock;
    this.#ledger = parts.ledger;
    this.#availability = parts.availability;
    this.#leaseMs = parts.leaseMs;
  }

  /** Keeps `held` alive from now on; its lease was last renewed at `beatenAt`, by default just now. */
  add(held: Held, beatenAt = this.#clock.monotonic()): Beat {
    const beat: Beat = { held, beatenAt, place: -1 };
    this.#beats.add(beat);
    if (this.#timer === undefined) this.#arm();
    const now = this.#clock.monotonic();
    if (this.#wantsKeeping(beat, now)) this.#keep([beat], now); // T3
    return beat;
  }

  /** Stops what `add` began; answers when it was last kept alive, for whoever goes on holding its lease. */
  remove(beat: Beat): number | undefined {
    return this.#beats.remove(beat) ? beat.beatenAt : undefined;
  }

  /** Stops beating. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#beats.clear();
  }

  #arm(): void {
    this.#timer = this.#clock.after(this.#leaseMs / 6, () => {
      this.#timer = undefined;
      if (this.#beats.size === 0) return;
      this.#expire();
      const now = this.#clock.monotonic();
      this.#keep(
        this.#beats.all().filter((beat) => this.#wantsKeeping(beat, now)),
        now,
      );
      this.#arm();
    });
  }

  /** Whether a third of the lease is over. */
  #wantsKeeping({ beatenAt }: Beat, now: number): boolean {
    return now - beatenAt >= this.#leaseMs / 3;
  }

  #keep(due: readonly Beat[], now: number): void {
    if (due.length === 0) return;
    void this.#renew(due, now);
    void this.#extend(due, now);
  }

  /** Gives up leases of which nothing was heard for too long, also while a renewal hangs (T1). */
  #expire(): void {
    const now = this.#clock.monotonic();
    for (const beat of this.#beats.all()) {
      if (beat.held.lease !== undefined && now - beat.beatenAt >= this.#leaseMs * (4 / 6)) this.#lose(beat);
    }
  }

  async #renew(beats: readonly Beat[], now: number): Promise<void> {
    const leased = beats.filter((beat) => beat.held.lease !== undefined);
    if (leased.length === 0) return;
    const renewals = leased.map(({ held }) => ({ ...required(held.lease), leaseMs: this.#leaseMs }));
    try {
      const answers = await this.#ledger.renew(renewals);
      for (const [index, beat] of leased.entries()) this.#renewed(beat, answers[index], now);
    } catch (error) {
      this.#availability.report(error);
    }
  }

  #renewed(beat: Beat, answer: RenewalAnswer | undefined, now: number): void {
    if (answer?.answer === 'lost') this.#lose(beat);
    if (answer?.answer !== 'ok' || beat.place < 0) return;
    beat.beatenAt = Math.max(beat.beatenAt, now); // a late answer to an earlier renewal takes nothing back
    if (answer.version !== beat.held.lease?.version()) beat.held.onMoved?.();
  }

  async #extend(beats: readonly Beat[], now: number): Promise<void> {
    try {
      const answers = await Promise.all(beats.map(({ held }) => held.delivery.extend(this.#leaseMs)));
      for (const [index, beat] of beats.entries()) {
        if (beat.held.lease !== undefined) continue; // the lease in the ledger counts; a lost delivery only means a copy
        if (answers[index] === 'lost') this.#lose(beat);
        else beat.beatenAt = Math.max(beat.beatenAt, now);
      }
    } catch (error) {
      this.#availability.report(error);
    }
  }

  #lose(beat: Beat): void {
    if (this.#beats.remove(beat)) beat.held.onLost();
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('unreachable: a leased beat has a lease');
  return value;
}
