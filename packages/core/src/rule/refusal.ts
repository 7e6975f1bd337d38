// Refusal: the one error of this room.

import { CarillonError } from '../errors.js';

/** An `E_RULE`: what is wrong, and what to write instead. */
export function refusal(message: string, next: string, cause?: unknown): CarillonError {
  return new CarillonError('E_RULE', message, { next, cause });
}
