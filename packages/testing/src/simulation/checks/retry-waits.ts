// Retry waits: how long a job waits for its next attempt, by what its handler asked for, its own options and its task's, worked
// out apart from the engine.
//
// W1  A snooze is slept through. A retry waits as long as its handler says, else as its backoff does, up to the job's age.
// W2  Where code of the user decides (`retry.on`, a backoff that is a function), nothing is known.

import type { BackoffData, RetryOptions, Ruling } from '@carillon/core';
import { durationMs, type Instant, type LedgerRecord } from '@carillon/core/spi';
import type { Observation } from '../observation.js';
import { bodyOf } from './job-record.js';

/** The least and the most that a job may wait, in milliseconds. */
interface Wait {
  readonly leastMs: number;
  readonly mostMs: number;
}

const ANY: Wait = { leastMs: 0, mostMs: Infinity };
const USUAL: BackoffData = { type: 'exponential' };
const HOUR_MS = 3_600_000;

/** What the processes of a run do about failures. */
export class RetryWaits {
  readonly #hosts = new Map<string, ReadonlyMap<string, RetryOptions | undefined>>();

  /** Takes an observation in. */
  watch(observation: Observation): void {
    if (observation.what === 'host' && observation.retries !== undefined)
      this.#hosts.set(observation.host ?? '', observation.retries);
  }

  /** How long a job waits after an attempt on a host, given its record as that attempt has left it. */
  of(host: string, record: LedgerRecord, ruling: Ruling | undefined, endedAt: Instant): Wait {
    if (ruling?.verdict === 'snooze') return exactly(ruling.afterMs);
    const tasks = this.#hosts.get(host);
    if (tasks?.has(record.task) !== true) return ANY;
    const { overrides, failures = 1, nominalAt = record.dueAt } = bodyOf(record);
    const retry = { ...tasks.get(record.task), ...overrides?.retry };
    const asked = ruling === undefined ? backedOff(retry, failures) : exactly(ruling.afterMs);
    const leftMs = retry.for === undefined ? Infinity : nominalAt + durationMs(retry.for, 'retry.for') - endedAt;
    return { leastMs: Math.min(asked.leastMs, leftMs), mostMs: Math.min(asked.mostMs, leftMs) }; // W1
  }
}

function exactly(ms: number): Wait {
  return { leastMs: ms, mostMs: ms };
}

function backedOff({ backoff = USUAL, on }: RetryOptions, failures: number): Wait {
  if (on !== undefined || typeof backoff === 'function') return ANY; // W2
  const mostMs = longestMs(backoff, failures);
  return { leastMs: mostMs * (1 - (backoff.jitter ?? 0.1)), mostMs };
}

function longestMs(backoff: BackoffData, failures: number): number {
  if (backoff.type === 'fixed') return durationMs(backoff.delay, 'delay');
  const to = backoff.to === undefined ? Infinity : durationMs(backoff.to, 'to');
  if (backoff.type === 'linear') return Math.min(to, durationMs(backoff.step, 'step') * failures);
  const from = durationMs(backoff.from ?? '1s', 'from');
  const most = backoff.to === undefined ? Math.max(from, HOUR_MS) : to;
  return Math.min(most, from * (backoff.factor ?? 2) ** (failures - 1) || 0); // 0 × Infinity is NaN
}
