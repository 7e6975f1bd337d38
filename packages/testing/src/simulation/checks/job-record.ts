// Job record: reads what records and messages of jobs say. The monitors read the wire forms by themselves, so that a mistake
// of the engine's own readers does not blind them.

import type { RetryOptions } from '@carillon/core';
import type { Instant, LedgerRecord, OutgoingMessage, RecordKey } from '@carillon/core/spi';

/** How the reason begins for which something malformed is set aside. */
export const MALFORMED = 'malformed message: ';

/** What somebody wants of a job that is being worked on. */
type Wish =
  | { readonly want: 'cancel'; readonly reason: string }
  | { readonly want: 'reschedule'; readonly due: { readonly at: Instant } | { readonly wall: string } };

/** The parts of a job's body that monitors look at. */
export interface JobBody {
  readonly key?: string;
  readonly unkeyed?: true;
  readonly nominalAt?: Instant;
  readonly wall?: { readonly wall: string; readonly timezone: string };
  readonly overrides?: {
    readonly attempts?: number | 'never-again';
    readonly interruptions?: number;
    readonly retry?: Pick<RetryOptions, 'for' | 'backoff'>;
  };
  readonly neverAgain?: true;
  readonly hop?: number;
  readonly sweeps?: number;
  readonly failures?: number;
  readonly interruptions?: number;
  readonly starts?: number;
  readonly attempts?: readonly (readonly [worker: string, startedAt: Instant, tookMs: number, outcome: string])[];
  readonly wish?: Wish;
  readonly unknownSince?: Instant;
  readonly lost?: true;
  readonly settledAt?: Instant;
  readonly occurrence?: {
    readonly schedule: string;
    readonly slot: Instant;
    readonly origin: string;
    readonly ahead?: true;
  };
  readonly payload?: unknown;
  readonly reason?: string;
}

/** What a message says about whom it wakes. */
export interface Envelope {
  readonly key: RecordKey;
  /** Its key as one text. */
  readonly identity: string;
  readonly task: string;
  readonly generation: number;
  readonly hop: number;
  readonly dueAt: Instant;
  /** It carries the whole job, which has no record yet. */
  readonly onClaim: boolean;
}

/** What was read of the latest things, so that each is read once although every monitor asks. */
class Latest<K, V> {
  readonly #read: (thing: K) => V;
  readonly #known = new Map<K, V>();

  constructor(read: (thing: K) => V) {
    this.#read = read;
  }

  of(thing: K): V {
    let value = this.#known.get(thing);
    if (value === undefined) {
      if (this.#known.size === MOST_KNOWN) this.#known.clear();
      this.#known.set(thing, (value = this.#read(thing)));
    }
    return value;
  }
}

const MOST_KNOWN = 256;
const NO_BODY: JobBody = {};
const decoder = new TextDecoder();
const bodies = new Latest<string, JobBody>((text) => (parsed(text) as JobBody | undefined) ?? NO_BODY);
const envelopes = new Latest<OutgoingMessage, Envelope | 'malformed'>(read);

/** The body of a job's record; one that can't be read is empty. */
export function bodyOf(record: LedgerRecord): JobBody {
  return bodies.of(record.body); // by the text: many versions of a record share it
}

/** What a message says; undefined if it can't be read. */
export function envelopeOf(message: OutgoingMessage): Envelope | undefined {
  const envelope = envelopes.of(message);
  return envelope === 'malformed' ? undefined : envelope;
}

/** The number of a message among those of its job. */
export function numberOf(message: OutgoingMessage): number {
  return Number(message.id.slice(message.id.lastIndexOf('#') + 1));
}

/** How many attempts of a job are over, however they ended. */
export function startsOf({ starts, attempts }: JobBody): number {
  return starts ?? attempts?.length ?? 0;
}

/** Whether nothing more happens to a record by itself. */
export function isSettled(record: LedgerRecord): boolean {
  return record.state !== 'scheduled';
}

/** One text per record. */
export function identityOf({ kind, partition, id }: RecordKey): string {
  return `${kind}/${partition}/${id}`;
}

function read(message: OutgoingMessage): Envelope | 'malformed' {
  const wire = parsed(decoder.decode(message.body)) as Partial<Record<string, unknown>> | undefined;
  if (typeof wire?.i !== 'string') return 'malformed';
  const { k, i, p, t, g, d, h, b } = wire as Record<'k' | 'i' | 'p' | 't', string> &
    Record<'g' | 'd' | 'h', number> & { b?: unknown };
  const key: RecordKey = { kind: k, id: i, partition: p };
  return { key, identity: identityOf(key), task: t, generation: g, hop: h, dueAt: d, onClaim: b !== undefined };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the caller says what becomes of it
  }
}

/** Whether a record is that of an occurrence which was placed ahead and nobody has begun: its schedule may take it back. Who
 *  claims it later than 5 s does not begin it (H9 of chains.ts). */
export function mayGoBack(record: LedgerRecord): boolean {
  const { state, lease, interrupted, dueAt } = record;
  const body = bodyOf(record);
  const attempted = startsOf(body) + (body.interruptions ?? 0) + interrupted.length;
  const isClaimed = lease !== undefined && lease.since <= dueAt + 5_000;
  return body.occurrence !== undefined && state === 'scheduled' && attempted === 0 && !isClaimed;
}
