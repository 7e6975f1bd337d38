// Host clocks: how far off a process's idea of the ledger's time may be, from what was seen of its measurements.
//
// C1  A process measures when it starts, and one that sweeps again and again: exactly, unless its question was slow to arrive.
// C2  What it has measured wears off with the drift of its clock, and with each step of the ledger's, until it measures again.

import type { Instant } from '@carillon/core/spi';
import type { Observation } from '../observation.js';

const EXACT_MS = 50; // rounding, and answers that take some milliseconds
const DRIFT = 1e-4;
const STEP_MS = 3_000;
const SLOW_MS = 20_000;
const TELLS_TIME = new Set(['now', 'acquire']); // what a process learns the ledger's time from

interface Measured {
  readonly bootAt: Instant;
  /** How many steps the ledger's clock has made since. */
  steps: number;
  /** When an answer that told the time was slow, unless a good one has come since. */
  slowAt: Instant | undefined;
}

/** What the processes of a run can know of the ledger's time. */
export class HostClocks {
  readonly #hosts = new Map<string, Measured>();

  /** Takes an observation in. */
  watch(observation: Observation): void {
    const { at, host } = observation;
    if (observation.what === 'host' && observation.change === 'started' && host !== undefined)
      this.#hosts.set(host, { bootAt: at, steps: 0, slowAt: undefined });
    if (observation.what === 'request' && observation.name === 'now' && observation.served) this.#measured(host, at);
    if (observation.what !== 'fault') return;
    if (observation.fault === 'clock-step') for (const measured of this.#hosts.values()) measured.steps += 1;
    const measured = this.#hosts.get(host ?? '');
    const isUnclear = observation.fault === 'slow' || observation.fault === 'answer-lost';
    if (measured !== undefined && isUnclear && TELLS_TIME.has(observation.about)) measured.slowAt = at;
  }

  /** How far a process may be off, in milliseconds. */
  errorMs(host: string | undefined, at: Instant): number {
    const measured = this.#hosts.get(host ?? '');
    if (measured === undefined) return EXACT_MS;
    const { bootAt, steps, slowAt } = measured;
    return EXACT_MS + (at - bootAt) * DRIFT + steps * STEP_MS + (slowAt === undefined ? 0 : SLOW_MS);
  }

  /** A measurement, which holds if no fault is told of it at the same instant. */
  #measured(host: string | undefined, at: Instant): void {
    const measured = this.#hosts.get(host ?? '');
    if (measured === undefined) return;
    if (measured.slowAt !== undefined && at - measured.slowAt <= SLOW_MS) return; // the slow one may still come
    measured.slowAt = undefined;
    measured.steps = 0;
  }
}
