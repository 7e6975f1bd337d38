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

interface Beat {
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
  readonly #beats = new Map<Held, Beat>();
  #timer: Timer | undefined;

  constructor(parts: { clock: Clock; ledger: Ledger; availability: Availability; leaseMs: number }) {
    this.#clock = parts.clock;
    this.#ledger = parts.ledger;
    this.#availability = parts.availability;
    this.#leaseMs = parts.leaseMs;
  }

  /** Keeps `held` alive from now on; its lease was last renewed at `beatenAt`, by default just now. */
  add(held: Held, beatenAt = this.#clock.monotonic()): void {
    const beat = { held, beatenAt };
    this.#beats.set(held, beat);
    if (this.#timer === undefined) this.#arm();
    this.#keep([beat]); // T3
  }

  /** Forgets it; answers when it was last kept alive, for whoever goes on holding its lease. */
  remove(held: Held): number | undefined {
    const beat = this.#beats.get(held);
    this.#beats.delete(held);
    return beat?.beatenAt;
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
      this.#keep([...this.#beats.values()]);
      this.#arm();
    });
  }

  /** Renews and extends those of which a third of the lease is over. */
  #keep(beats: readonly Beat[]): void {
    const now = this.#clock.monotonic();
    const due = beats.filter((beat) => now - beat.beatenAt >= this.#leaseMs / 3);
    if (due.length === 0) return;
    void this.#renew(due, now);
    void this.#extend(due, now);
  }

  /** Gives up leases of which nothing was heard for too long, also while a renewal hangs (T1). */
  #expire(): void {
    const now = this.#clock.monotonic();
    for (const beat of this.#beats.values()) {
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
    if (answer?.answer !== 'ok' || !this.#beats.has(beat.held)) return;
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
    if (this.#beats.delete(beat.held)) beat.held.onLost();
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('unreachable: a leased beat has a lease');
  return value;
}
