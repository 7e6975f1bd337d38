// Simulated ledger: the records that all engines of a run share, on a server that can be down, tell the time wrongly, and
// forget.
//
// G1  The records are those of the memory ledger, which passes the port's conformance suite; only the faults are new.
// G2  What is forgotten is told record by record, so that the monitors exempt exactly that.
// G3  A grant is its holder's, also if a fused store makes it to a receive that waits, in nobody's call.

import type { Instant, LedgerRecord } from '@carillon/core/spi';
import { type Entry, Records } from '../../memory/records.js';
import type { RecordChange, Tell } from '../observation.js';
import type { Chance } from '../plan/faults.js';
import type { Server } from '../world/wire.js';
import type { World } from '../world/world.js';

interface Undo {
  readonly at: Instant;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

/** What a simulated ledger is made of. */
export interface SimulatedLedgerParts {
  readonly world: World;
  readonly chance: Chance;
  readonly tell: Tell;
  /** Hears of each queue in which a record was written: a fused store wakes those who wait. */
  readonly wake?: (queue: string) => void;
}

const MOST_FORGOTTEN_MS = 2_000;
const LONGEST_STEP_MS = 3_000;

/** The ledger of one run. */
export class SimulatedLedger implements Server {
  readonly name = 'ledger';
  readonly records: Records;
  isDown = false;
  readonly #parts: SimulatedLedgerParts;
  readonly #journal: Undo[] = [];
  #offsetMs = 0;
  #shownAt = -Infinity;
  #host: string | undefined;
  #undoing = false;

  constructor(parts: SimulatedLedgerParts) {
    this.#parts = parts;
    this.records = new Records((before, after) => this.#changed(before, after));
  }

  /** The time by the ledger's own clock. */
  now(): Instant {
    const now = Math.floor(this.#parts.world.now) + this.#offsetMs;
    this.#shownAt = Math.max(this.#shownAt, now);
    return now;
  }

  /** The latest time that it has ever shown: what has been due once stays so when the clock steps back. */
  get latest(): Instant {
    return Math.max(this.#shownAt, this.now());
  }

  /** Serves a call of a host; whatever it writes counts as that host's. */
  serve<T>(host: string, call: () => T): T {
    this.#host = host;
    try {
      return call();
    } finally {
      this.#host = undefined;
    }
  }

  /** Lets the clock jump. */
  stepClock(): void {
    this.#offsetMs += Math.round(this.#parts.chance.between('clock-step', -LONGEST_STEP_MS, LONGEST_STEP_MS));
  }

  /** Forgets the last moments, as a failover to a replica that lags behind does. */
  failOver(): void {
    const { world, chance } = this.#parts;
    const from = world.now - chance.between('failover', 0, MOST_FORGOTTEN_MS);
    const lost = new Map<string, { before: Entry | undefined; after: Entry | undefined }>();
    this.#undoing = true;
    for (let undo = this.#journal.at(-1); undo !== undefined && undo.at >= from; undo = this.#journal.at(-1)) {
      this.#journal.pop();
      const { key } = (undo.after ?? undo.before)!.record;
      const identity = `${key.kind}/${key.partition}/${key.id}`;
      if (!lost.has(identity)) lost.set(identity, { before: undo.after, after: undefined });
      lost.get(identity)!.after = undo.before;
      if (undo.before === undefined) this.records.delete(key);
      else this.records.put(undo.before);
    }
    this.#undoing = false;
    for (const { before, after } of lost.values()) {
      if (before !== undefined || after !== undefined) this.#forgotten(before?.record, after?.record);
    }
  }

  /** Loses one record, drawn at random; every other time one that is not settled, of which there are few. */
  evict(): void {
    const random = this.#parts.chance.stream('eviction');
    const open = random.next() < 0.5;
    const entries = [...this.records.all()].filter(({ record }) => !open || record.wakeAt !== undefined);
    const entry = entries[Math.floor(random.next() * entries.length)];
    if (entry === undefined) return;
    this.#undoing = true;
    this.records.delete(entry.record.key);
    this.#undoing = false;
    this.#forgotten(entry.record, undefined);
  }

  /** Ends the leases of a process that has died, as a store does that can see it. */
  endLeases(holder: string): void {
    const now = this.now();
    for (const entry of this.records.open()) {
      const { lease } = entry.record;
      if (lease?.holder !== holder || lease.until <= now) continue;
      this.records.put({ ...entry, record: Object.freeze({ ...entry.record, lease: { ...lease, until: now } }) });
    }
  }

  #changed(before: Entry | undefined, after: Entry | undefined): void {
    if (after !== undefined) this.#parts.wake?.(after.record.queue);
    if (this.#undoing) return;
    const { world, tell } = this.#parts;
    this.#journal.push({ at: world.now, before, after });
    while (this.#journal[0]!.at < world.now - MOST_FORGOTTEN_MS) this.#journal.shift();
    const { key } = (after ?? before)!.record;
    const change = changeOf(before?.record, after?.record, this.now());
    const host = this.#host ?? (change === 'granted' ? hostOf(after!.record) : undefined); // G3
    tell({ what: 'record', host, change, key, before: before?.record, after: after?.record });
  }

  #forgotten(before: LedgerRecord | undefined, after: LedgerRecord | undefined): void {
    const { key } = (before ?? after)!;
    this.#parts.tell({ what: 'forgotten', host: undefined, key, before, after });
  }
}

/** The host of the process that holds a record. */
function hostOf({ lease }: LedgerRecord): string | undefined {
  return lease?.holder.slice(0, lease.holder.lastIndexOf('.'));
}

/** What became of a record, as far as the two tell. */
function changeOf(before: LedgerRecord | undefined, after: LedgerRecord | undefined, now: Instant): RecordChange {
  if (after === undefined) return (before?.expiresAt ?? Infinity) <= now ? 'expired' : 'removed';
  if (before === undefined) return 'written';
  if (after.fence > before.fence) return 'granted';
  if (after.version > before.version) return 'written';
  return after.outbox.length < before.outbox.length ? 'sent' : 'renewed';
}
