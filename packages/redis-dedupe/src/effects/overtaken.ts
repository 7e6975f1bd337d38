// Overtaken: the error of an attempt that comes to a resource after a later one.

import { CarillonError } from '@carillon/core/spi';

/** What an attempt is told whose fencing token is lower than the highest that the resource has seen. */
export function overtaken(resource: string): CarillonError {
  return new CarillonError('E_STOPPED', `A later attempt has been at ${JSON.stringify(resource)}.`, {
    next: 'Let the handler end; what it does from here counts for nothing.',
  });
}
