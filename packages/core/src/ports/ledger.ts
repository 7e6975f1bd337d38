// Ledger: the port that keeps small versioned records and makes things count once.
//
// L1  A change is all or nothing; the changes of one call are independent of each other.
// L2  Versions, generations and fences of a record never decrease; the fence grows with every grant.
// L3  At most one lease on a record is live at any time, by the ledger's own clock.
// L4  A call repeated with the same nonce gives the same answer and changes nothing more.
// L5  A lease that ends without a word from its holder is kept in `interrupted` until the next holder's commit.
// L6  A grant raises the version, so that a write decided before it meets a conflict and sees the lease. A renewal does not.

import type { Instant } from '../time/instant.js';
import type { OutgoingMessage } from './outgoing-message.js';

/** Where a record lives. Records with the same `partition` can change together (a hash tag on Redis; elsewhere ignored). */
export interface RecordKey {
  readonly kind: string;
  readonly id: string;
  readonly partition: string;
}

/** A right to work on a record, which ends by itself unless renewed. */
export interface Lease {
  /** Who holds it: an engine's name. */
  readonly holder: string;
  readonly nonce: string;
  readonly since: Instant;
  readonly until: Instant;
}

/** A message that a commit has promised and nobody has reported as sent yet. */
export interface OutboxEntry {
  readonly message: OutgoingMessage;
  /** When the record wants attention once this has been sent. */
  readonly wakeAt: Instant;
}

/** What the engine writes: everything in a record that is not the ledger's own bookkeeping. */
export interface RecordContent {
  readonly generation: number;
  readonly queue: string;
  /** The task (later: schedule or workflow) that it belongs to: for lists, and so that a saturated task can be left alone. */
  readonly task: string;
  /** A word for lists; the ledger does not read meaning into it. */
  readonly state: string;
  /** When the record's work is due; kept after it is settled. */
  readonly dueAt: Instant;
  /** When the record next wants attention: a store that sees its own messages delivers it then, elsewhere the sweep
   *  looks at it then. `undefined` once it is settled. A leased record wants none before the end of its lease. */
  readonly wakeAt: Instant | undefined;
  /** When a settled record may be removed; `undefined` keeps it. */
  readonly expiresAt: Instant | undefined;
  /** A grant of this record must be as durable as a commit before it is answered; an ordinary one need not. */
  readonly durableGrant: boolean;
  /** Six hex digits that tell the work from another under the same id. With them, once the record is settled, a ledger need
   *  keep no more than its state, its version and these digits, and need not list it. */
  readonly brief?: string;
  /** What the record says, as JSON text; opaque to the ledger. */
  readonly body: string;
  readonly outbox: readonly OutboxEntry[];
}

/** A record as read: its content, and what the ledger keeps beside it. */
export interface LedgerRecord extends RecordContent {
  readonly key: RecordKey;
  /** Rises by one with each commit and each grant (L6). */
  readonly version: number;
  /** The highest fence ever granted: `max(previous + 1, ledger time in µs)`; 0 before the first grant. */
  readonly fence: number;
  /** The latest lease, live or not, that nobody has resolved. */
  readonly lease: Lease | undefined;
  /** Leases that ended without a word, oldest first, since the last commit by a holder. */
  readonly interrupted: readonly Lease[];
}

/** A wish to hold a record. */
export interface Claim {
  readonly key: RecordKey;
  /** The generation that the message spoke of; an older one than the record's is `stale`. */
  readonly generation: number;
  readonly holder: string;
  readonly nonce: string;
  readonly leaseMs: number;
  /** Starts the record if there is none, and grants it. */
  readonly create?: RecordContent;
}

/** A granted claim. */
export interface Grant {
  readonly record: LedgerRecord;
  readonly fence: number;
  /** The ledger's time at the grant. */
  readonly at: Instant;
}

/** What became of a claim. All but `absent` and `unreadable` bring the record, with the outbox that is still unsent. */
export type ClaimAnswer =
  | ({ readonly answer: 'granted' } & Grant)
  | { readonly answer: 'busy'; readonly record: LedgerRecord; readonly retryInMs: number }
  | { readonly answer: 'settled' | 'stale'; readonly record: LedgerRecord }
  | { readonly answer: 'early'; readonly record: LedgerRecord; readonly inMs: number }
  | { readonly answer: 'absent' }
  /** What stands there was written by a newer version, or is damaged; other claims of the call are not concerned. */
  | { readonly answer: 'unreadable'; readonly reason: string };

/** A lease to be prolonged. */
export interface Renewal {
  readonly key: RecordKey;
  readonly fence: number;
  readonly leaseMs: number;
}

/** `ok` says how far the record has moved on: a version other than the holder's means that somebody left a wish. */
export type RenewalAnswer =
  | { readonly answer: 'ok'; readonly version: number; readonly until: Instant }
  | { readonly answer: 'lost' };

/** What a write asks of the record that it meets. */
export type Expectation =
  | { readonly absent: true }
  /** Anybody's write: the version must match; a lease stays as it is. */
  | { readonly version: number }
  /** The holder's write: fence and version must match, the lease's end does not matter. */
  | { readonly version: number; readonly fence: number }
  | { readonly any: true };

/** One step of a change. */
export type Write =
  | {
      readonly do: 'put';
      readonly key: RecordKey;
      readonly expect: Expectation;
      readonly content: RecordContent;
      /** A holder's put resolves its lease and clears `interrupted`, unless it keeps it. */
      readonly keepLease?: boolean;
    }
  | { readonly do: 'remove'; readonly key: RecordKey; readonly expect: Expectation }
  /** Writes nothing, and fails the change unless the expectation holds. */
  | { readonly do: 'check'; readonly key: RecordKey; readonly expect: Expectation }
  /** Strikes sent messages off the outbox, whatever the version; with the last one gone, `wakeAt` of an open record becomes
   *  that entry's. A settled record stays settled. */
  | { readonly do: 'sent'; readonly key: RecordKey; readonly messages: readonly string[] };

/** Writes that happen together or not at all; all of one partition. */
export interface Change {
  readonly nonce: string;
  readonly writes: readonly Write[];
  /** The change must be durable before it is answered. `false` only where losing it costs no more than another attempt. */
  readonly durable: boolean;
  /** What the ledger does as a part of this change, made by its own adapter. Only what it `takesEffect`. */
  readonly effect?: unknown;
}

/** `lost`: the fence is no longer the holder's. `conflict`: an expectation failed; `record` is what stands there. */
export type ChangeAnswer =
  | { readonly answer: 'ok' }
  | { readonly answer: 'lost' }
  | { readonly answer: 'conflict'; readonly key: RecordKey; readonly record: LedgerRecord | undefined }
  /** The change's effect failed and no record was written; `partly` tells that some of the effect has happened all the same. */
  | { readonly answer: 'failed'; readonly reason: string; readonly partly: boolean };

/** Which records want attention. */
export interface DueQuery {
  readonly queues: readonly string[];
  /** Those whose attention time is not later than this. */
  readonly before: Instant;
  readonly limit: number;
  readonly cursor?: string;
}

/** Which records to list; every field narrows. */
export interface ListQuery {
  readonly kind: string;
  readonly task?: string;
  readonly queue?: string;
  readonly states?: readonly string[];
  readonly idPrefix?: string;
  /** Due at or after, and before. */
  readonly dueFrom?: Instant;
  readonly dueBefore?: Instant;
  readonly limit: number;
  readonly cursor?: string;
}

/** Some records; `cursor` is missing on the last page. A page may hold fewer than `limit`, even none, and go on. */
export interface Page {
  readonly records: readonly LedgerRecord[];
  readonly cursor?: string;
}

/** A write that the ledger had answered with `ok` and has lost, as in a failover. */
export interface LostWrite {
  readonly key: RecordKey;
  readonly task: string;
}

/** The port that keeps records. */
export interface Ledger {
  /** What an answered, durable change survives. */
  readonly durability: 'fsync' | 'replicated' | 'async' | 'memory';
  /** Whether a change may carry this effect, which then happens with it or not at all. Without it: none. */
  takesEffect?(effect: unknown): boolean;
  /** A record is found only by its partition, so the engine leaves an alias where an id does not tell it. */
  readonly partitioned: boolean;
  /** False if others on the same transport don't see its records: recurring schedules are refused then. */
  readonly shared?: boolean;
  /** Connects, verifies, and says what is missing. Calling it again is harmless. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** The only clock that leases and due times are judged by. */
  now(): Promise<Instant>;
  acquire(claims: readonly Claim[]): Promise<readonly ClaimAnswer[]>;
  renew(renewals: readonly Renewal[]): Promise<readonly RenewalAnswer[]>;
  commit(changes: readonly Change[]): Promise<readonly ChangeAnswer[]>;
  read(keys: readonly RecordKey[]): Promise<readonly (LedgerRecord | undefined)[]>;
  /** Open records that want attention, earliest first. */
  due(query: DueQuery): Promise<Page>;
  list(query: ListQuery): Promise<Page>;
  /** Tells of writes that it had confirmed and finds lost; returns a function that ends the subscription. */
  onLoss?(listener: (lost: readonly LostWrite[]) => void): () => void;
}
