// checkLease: refuses a lease that a transport cannot hold, before the broker is asked for it.

import { CarillonError } from '../errors.js';
import type { Limits } from './transport.js';

/** Throws `E_OPTIONS` unless a lease, in milliseconds, is within the limits of its transport. */
export function checkLease(leaseMs: number, [min, max]: Limits['leaseMs']): void {
  if (leaseMs >= min && leaseMs <= max) return;
  throw new CarillonError('E_OPTIONS', `A lease of ${leaseMs} ms is outside of the limits of this transport.`, {
    next: `Ask for ${min} to ${max} ms.`,
  });
}
