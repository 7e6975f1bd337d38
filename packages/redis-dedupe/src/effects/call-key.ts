// Call key: the idempotency key of one call that a handler makes to somebody else's API.
//
// K1  The same for every attempt of a job, and different for every other job and every other call of its handler.
// K2  43 characters of A–Z, a–z, 0–9, - and _: what any header and any provider takes, and nothing of what an id may tell.

import { createHash } from 'node:crypto';
import type { Execution } from './execution.js';

/** The key under which the API shall recognise a repeat of `call`, for a header such as `Idempotency-Key`. */
export function callKey({ idempotencyKey }: Pick<Execution, 'idempotencyKey'>, call: string): string {
  return createHash('sha256')
    .update(JSON.stringify([idempotencyKey, call]))
    .digest('base64url');
}
