// Envelope: the versioned wire form of a message.
//
// V1  A message carries identity only: which record, which generation, due when. The payload's one home is the record,
//     except for on-claim jobs, which have no record until they run.
// V2  What cannot be read is malformed, with a reason; what a newer version wrote is told apart from that.

import { CarillonError } from '../errors.js';
import type { RecordKey } from '../ports/ledger.js';
import type { Instant } from '../time/instant.js';
import { decodePayload } from './payload.js';

/** The version that this code writes, and the oldest reader that may read what it writes. */
export const ENVELOPE_VERSION = 1;

/** What a message says. */
export interface Envelope {
  readonly key: RecordKey;
  readonly generation: number;
  readonly task: string;
  readonly dueAt: Instant;
  /** Which hop of the way to `dueAt` this message is, from 0. */
  readonly hop: number;
  /** An on-claim job's whole body, as a record would hold it. */
  readonly body?: string;
}

/** A message as decoded: usable, from a newer version, or malformed. */
export type Decoded =
  | { readonly is: 'envelope'; readonly envelope: Envelope }
  | { readonly is: 'newer'; readonly reader: number }
  | { readonly is: 'malformed'; readonly reason: string };

/** The bytes of a message; a body goes in as the JSON that it is. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { key, generation, task, dueAt, hop, body } = envelope;
  const identity = { k: key.kind, i: key.id, p: key.partition, g: generation, t: task, d: dueAt, h: hop };
  const wire = JSON.stringify({ v: ENVELOPE_VERSION, r: ENVELOPE_VERSION, ...identity });
  return Buffer.from(body === undefined ? wire : `${wire.slice(0, -1)},"b":${body}}`, 'utf8');
}

/** Reads a message of at most `maxBytes`; never throws (V2). */
export function decodeEnvelope(bytes: Uint8Array, maxBytes: number): Decoded {
  if (bytes.byteLength === 0) return malformed('empty body');
  if (bytes.byteLength > maxBytes) return malformed(`${String(bytes.byteLength)} bytes, more than ${String(maxBytes)}`);

  let wire: unknown;
  try {
    wire = decodePayload(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    return malformed(CarillonError.is(error) ? 'not JSON' : 'not UTF-8');
  }
  if (typeof wire !== 'object' || wire === null || Array.isArray(wire)) return malformed('not an object');

  const { r, k, i, p, g, t, d, h, b } = wire as Record<string, unknown>;
  if (!natural(r)) return malformed('no version');
  if (r > ENVELOPE_VERSION) return { is: 'newer', reader: r };
  if (!text(k) || !text(i) || !text(p) || !text(t)) return malformed('an identity is missing or too long');
  if (!natural(g) || !natural(d) || !natural(h)) return malformed('a number is missing or out of range');
  if (b !== undefined && (typeof b !== 'object' || b === null)) return malformed('the body is not an object');
  const body = b === undefined ? undefined : textOf(b);
  if (b !== undefined && body === undefined) return malformed('the body is nested too deeply');

  const key: RecordKey = { kind: k, id: i, partition: p };
  return {
    is: 'envelope',
    envelope: { key, generation: g, task: t, dueAt: d, hop: h, ...(body !== undefined && { body }) },
  };
}

/** JSON text; undefined if the value is nested deeper than the stack reaches, which parsing does not notice. */
function textOf(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined; // the caller says so
  }
}

const LONGEST_TEXT = 600;
const malformed = (reason: string): Decoded => ({ is: 'malformed', reason });
const natural = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const text = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= LONGEST_TEXT;
