// Running: a process of a run, and the Carillon in it.

import type { Carillon } from '@carillon/core';
import type { Incarnation } from '../world/host.js';

/** A process and what runs in it. */
export interface Running {
  readonly process: Incarnation;
  readonly carillon: Carillon;
  /** Whether it has been stopped in good order. */
  stopped: boolean;
}

/** Where processes follow one another. */
export interface Place {
  readonly name: string;
  /** Resolves with what runs as soon as something does. */
  up(): Promise<Running>;
}
