// Embedded: transport and ledger in one durable store in a local folder, and each of them alone.

import type { Backend, Ledger, Transport } from '@carillon/core/spi';
import { EmbeddedLedger } from './embedded-ledger.js';
import { FusedTransport } from './fused-transport.js';
import { Handle } from './handle.js';
import type { EmbeddedOptions } from './handle.js';
import { MessageTransport } from './message-transport.js';

/** A backend in a folder: nothing to install, several processes of one machine may share it. It is opened when the
 *  engine starts, or when it is first used. */
export function embedded(folder: string, options: EmbeddedOptions = {}): Backend {
  return {
    transport: new FusedTransport(new Handle(folder, options)),
    ledger: new EmbeddedLedger(new Handle(folder, options)),
    fused: true,
  };
}

/** The ledger alone, for a transport of another kind. */
export function embeddedLedger(folder: string, options: EmbeddedOptions = {}): Ledger {
  return new EmbeddedLedger(new Handle(folder, options));
}

/** The transport alone, for a ledger of another kind. */
export function embeddedTransport(folder: string, options: EmbeddedOptions = {}): Transport {
  return new MessageTransport(new Handle(folder, options));
}
