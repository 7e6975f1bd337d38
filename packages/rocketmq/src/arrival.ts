// Arrival: one part of the answer to a long poll, as it comes from the wire.
//
// V1  Of a message only what is used is read: the generated classes build a tree of a dozen objects for each, and hundreds
//     come in one moment, in which jobs are due as well.
// V2  A body that can't be unpacked is handed over as it is: who decodes it says what is wrong, and the others go on.

import { gunzipSync } from 'node:zlib';
import { EMPTY } from './outgoing.js';
import { Encoding } from './protocol.js';
import { Wire } from './wire.js';

/** A message that has arrived. */
export interface Arrived {
  readonly body: Uint8Array;
  readonly attempt: number;
  readonly messageId: string;
  readonly handle: string;
}

/** What a part may bring; most parts bring one of them. */
export interface Arrival {
  readonly message?: Arrived;
  readonly status?: { readonly code: number; readonly message: string };
}

const UNPACKED_BYTES = 4 * 1024 * 1024;
const PACKED: number = Encoding.GZIP;

/** Reads one part, a `ReceiveMessageResponse`. */
export function readArrival(bytes: Buffer): Arrival {
  const part = new Wire(bytes);
  let arrival: Arrival = {};
  while (part.next()) {
    if (part.field === 1) arrival = { status: readStatus(part.message()) };
    else if (part.field === 2) arrival = { message: readMessage(part.message()) };
  }
  return arrival;
}

function readStatus(status: Wire): { code: number; message: string } {
  let [code, message] = [0, ''];
  while (status.next()) {
    if (status.field === 1) code = status.value;
    else if (status.field === 2) message = status.text();
  }
  return { code, message };
}

function readMessage(message: Wire): Arrived {
  let body: Uint8Array = new Uint8Array();
  let [attempt, messageId, handle, encoding, empty] = [1, '', '', 0, false];
  while (message.next()) {
    if (message.field === 2) empty ||= isEmptyMark(message.message());
    else if (message.field === 4) body = message.bytes();
    else if (message.field === 3) {
      const system = message.message();
      while (system.next()) {
        if (system.field === 3) messageId = system.text();
        else if (system.field === 5) encoding = system.value;
        else if (system.field === 12) handle = system.text();
        else if (system.field === 16) attempt = system.value;
      }
    }
  }
  if (empty) body = new Uint8Array();
  return { body: encoding === PACKED ? unpacked(body) : body, attempt, messageId, handle };
}

/** Whether a property says that the body is empty (M2 of outgoing.ts). */
function isEmptyMark(property: Wire): boolean {
  while (property.next()) if (property.field === 1) return property.text() === EMPTY;
  return false;
}

function unpacked(body: Uint8Array): Uint8Array {
  try {
    return gunzipSync(body, { maxOutputLength: UNPACKED_BYTES });
  } catch {
    return body; // V2
  }
}
