// Transport: the port that carries messages into the future. A broker stands behind it.
//
// P1  A message that `send` called `sent` is delivered at least once, at or after its delivery time less the
//     transport's precision; it may come twice, late or out of order, and in a disaster not at all (the sweep heals it).
// P2  A delivery that is not acknowledged within its lease is delivered again.
// P3  `receive` never returns more than it was asked for, so a worker never holds what it cannot start.

import type { Grant } from './ledger.js';
import type { OutgoingMessage } from './outgoing-message.js';

/** What a transport can do; values may shrink while it runs, as the broker teaches it. */
export interface Limits {
  /** How far ahead a message may be sent, with room for clocks that differ; `Infinity` if there is no limit. Longer waits
   *  are made of hops. */
  readonly horizonMs: number;
  /** How coarse its delivery times are; `0` if it delivers on the millisecond. */
  readonly precisionMs: number;
  /** The longest body it takes, in bytes. */
  readonly maxBytes: number;
  /** The shortest and the longest lease that a delivery may be held for. */
  readonly leaseMs: readonly [min: number, max: number];
  /** How long after its delivery time the broker keeps a message, so that it, or a repeat of it, may still come; missing if
   *  what was acknowledged never comes again. The engine starts only with tasks whose completions are kept for as long. */
  readonly retentionMs?: number;
}

/** What became of one message: stored, perhaps stored, or refused for good. */
export type SendOutcome =
  | { readonly outcome: 'sent'; readonly receipt?: string }
  | { readonly outcome: 'unknown'; readonly cause: unknown }
  | { readonly outcome: 'refused'; readonly reason: string };

/** One hand-over of a message to this process, held under a lease. */
export interface Delivery {
  readonly queue: string;
  readonly body: Uint8Array;
  /** Which delivery of this message it is, from 1, as far as the broker counts. */
  readonly attempt: number;
  /** Set by a store that is transport and ledger in one: the record is the message, and is already acquired. */
  readonly granted?: Grant;
  /** Forgets the message; `lost` if the lease had ended. */
  ack(): Promise<'ok' | 'lost'>;
  /** Holds it for `leaseMs` from now; `lost` if the lease had ended. */
  extend(leaseMs: number): Promise<'ok' | 'lost'>;
  /** Gives it back, to be delivered again `afterMs` from now or a little later. */
  release(afterMs: number): Promise<'ok' | 'lost'>;
}

/** What a receive loop asks for. */
export interface ReceiveRequest {
  readonly queue: string;
  /** At most so many deliveries, more than 0. */
  readonly max: number;
  readonly leaseMs: number;
  /** Who will hold what is delivered. */
  readonly holder: string;
  /** Tasks that can start fewer than `max` now, and how many. A transport that can tell tasks apart leaves the rest
   *  where it is; others ignore it, and the engine gives back what it cannot start. */
  readonly room?: ReadonlyMap<string, number>;
  /** Ends the wait; the call then answers with what it has, perhaps nothing. */
  readonly signal: AbortSignal;
}

/** The state of a port: `down` means that calls fail and that the engine waits. */
export interface Health {
  readonly state: 'up' | 'down';
  readonly reason?: string;
}

/** The port that carries messages. */
export interface Transport {
  readonly limits: Limits;
  /** Connects, verifies (with the queues that the engine will serve, what they need), and says what is missing. Calling it
   *  again is harmless. */
  open(queues?: readonly string[]): Promise<void>;
  /** Ends every `receive` and lets go of what it held. Calling it again is harmless. */
  close(): Promise<void>;
  /** Sends messages; the answers stand in the order of the messages. Never throws for a single message. */
  send(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]>;
  /** Waits for messages (a long poll) and answers with 0 to `max` of them. */
  receive(request: ReceiveRequest): Promise<readonly Delivery[]>;
  /** Takes a message back, best effort, by the receipt of its send. Never relied upon. */
  recall?(receipt: string): Promise<void>;
  /** Tells of changes of health; returns a function that ends the subscription. */
  onHealth?(listener: (health: Health) => void): () => void;
}
