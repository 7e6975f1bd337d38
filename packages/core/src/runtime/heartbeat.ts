// Heartbeat: keeps what this engine holds: renews leases and extends deliveries at a third of their length.
//
// T1  A lease that could not be renewed counts as lost a margin before it ends, by this host's own monotonic clock, so
//     that a handler is told to stop while it is still alone.
// T2  One timer and one call serve everything that is held.

import type { RecordKey } from '../ports/ledger.js';
import type { Ledger } from '../ports/ledger.js';
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
  renewedAt: number;
}

/** The heartbeat of one engine. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #availability: Availability;
  readonly #leaseMs: number;
  readonly #beats = new Map<Held, Beat>();
  #timer: Timer | undefined;
  #beating = false;

  constructor(parts: { clock: Clock; ledger: Ledger; availability: Availability; leaseMs: number }) {
    this.#clock = parts.clock;
    this.#ledger = parts.ledger;
    this.#availability = parts.availability;
    this.#leaseMs = parts.leaseMs;
  }

  /** Keeps `held` alive from now on; its lease is taken to be fresh. */
  add(held: Held): void {
    this.#beats.set(held, { held, renewedAt: this.#clock.monotonic() });
    if (this.#timer === undefined) this.#arm();
  }

  /** Forgets it. */
  remove(held: Held): void {
    this.#beats.delete(held);
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
      if (!this.#beating) void this.#beat();
      this.#arm();
    });
  }

  async #beat(): Promise<void> {
    this.#beating = true;
    try {
      const now = this.#clock.monotonic();
      const due = [...this.#beats.values()].filter((beat) => now - beat.renewedAt >= this.#leaseMs / 3);
      if (due.length > 0) await this.#renew(due, now);
    } finally {
      this.#beating = false;
    }
  }

  async #renew(beats: readonly Beat[], now: number): Promise<void> {
    const leased = beats.filter((beat) => beat.held.lease !== undefined);
    const [renewals, extensions] = await Promise.allSettled([
      leased.length === 0
        ? []
        : this.#ledger.renew(leased.map(({ held }) => ({ ...required(held.lease), leaseMs: this.#leaseMs }))),
      Promise.all(beats.map(({ held }) => held.delivery.extend(this.#leaseMs))),
    ]);

    if (renewals.status === 'rejected') this.#availability.report(renewals.reason);
    if (extensions.status === 'rejected') this.#availability.report(extensions.reason);
    const renewed = renewals.status === 'fulfilled' ? renewals.value : [];
    leased.forEach((beat, index) => {
      const answer = renewed[index];
      if (answer?.answer === 'lost') this.#lose(beat);
      else if (answer?.answer === 'ok') {
        beat.renewedAt = now;
        if (answer.version !== beat.held.lease?.version()) beat.held.onMoved?.();
      } else if (now - beat.renewedAt >= this.#leaseMs * (5 / 6)) this.#lose(beat); // T1
    });

    const extended = extensions.status === 'fulfilled' ? extensions.value : [];
    beats.forEach((beat, index) => {
      if (beat.held.lease !== undefined) return; // the lease in the ledger counts; a lost delivery only means a copy
      if (extended[index] === 'lost') this.#lose(beat);
      else if (extended[index] === 'ok') beat.renewedAt = now;
    });
  }

  #lose(beat: Beat): void {
    if (this.#beats.delete(beat.held)) beat.held.onLost();
  }
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('unreachable: a leased beat has a lease');
  return value;
}
