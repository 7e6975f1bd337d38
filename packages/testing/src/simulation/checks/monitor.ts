// Monitor: something that watches a run and says which invariant it has broken.

import type { Instant } from '@carillon/core/spi';
import type { Observer } from '../observation.js';
import type { What } from './audience.js';
import type { Plan } from '../plan/plan.js';
import type { Servers } from '../world/servers.js';
import type { Grants } from './grants.js';
import type { Room } from './room.js';

/** What the invariants of the design are called. */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10' | 'I11';

/** What a monitor can look at, and how it says that something is wrong. */
interface Bench {
  readonly plan: Plan;
  readonly servers: Servers;
  readonly now: () => Instant;
  /** Every grant so far. */
  readonly grants: Grants;
  /** Where there is room for what is due. */
  readonly room: Room;
  /** Says that a job is overdue for want of room, which is no violation but is counted. */
  readonly excuse: () => void;
  /** Ends the run: an invariant is broken. `about` names the job, the record or the host. */
  readonly violate: (invariant: Invariant, about: string, text: string) => void;
}

/** One invariant's watch over a run. */
interface Monitor {
  readonly watch?: Observer;
  /** What it is told of; by default everything. */
  readonly hears?: readonly What[];
  /** Judges what stands at the end, when all faults have been healed and the bound of I3 has passed. */
  atEnd?(): void;
}

/** Makes a monitor for a run. */
export type MonitorMaker = (bench: Bench) => Monitor;

/** A broken invariant. */
export class Violation extends Error {
  override readonly name = 'Violation';

  constructor(
    readonly invariant: Invariant,
    readonly about: string,
    readonly text: string,
    readonly at: Instant,
    /** How to see it again, and what led to it, in plain words; empty where nobody has asked for it. */
    readonly account: readonly string[] = [],
  ) {
    super([`${invariant}: ${text} (${about})`, ...account].join('\n'));
  }
}
