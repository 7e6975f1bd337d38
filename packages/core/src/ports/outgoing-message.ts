// Outgoing message: what the engine hands to a transport, and what a ledger keeps in an outbox until it is sent.

import type { Instant } from '../time/instant.js';

/** A message on its way out. */
export interface OutgoingMessage {
  /** Names this message; copies of one message carry the same id. */
  readonly id: string;
  readonly queue: string;
  readonly body: Uint8Array;
  /** When it should be delivered; a time in the past means at once. */
  readonly deliverAt: Instant;
}
