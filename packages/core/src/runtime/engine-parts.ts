// Engine parts: what an engine is made of, resolved from what its user gave.

import type { Backend } from '../ports/backend.js';
import type { Catalog } from '../task/catalog.js';
import type { Logger } from '../task/logger.js';
import type { Clock, Ids, Random } from '../time/clock.js';

/** Everything that an engine is made of, resolved. */
export interface EngineParts {
  readonly backend: Backend;
  readonly catalog: Catalog;
  readonly namespace: string;
  readonly worker: string;
  /** Queues to serve, with how many handlers each may run. */
  readonly queues: ReadonlyMap<string, number>;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly maxResultBytes: number;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
}
