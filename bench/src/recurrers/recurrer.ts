// Recurrer: the one shape through which everybody's recurring schedules are driven.

import type { Place } from '../systems/system.js';

/** Told of each start: whose occurrence, which second it is for, and when it was due, in epoch milliseconds. */
type Started = (schedule: string, slotMs: number, dueMs?: number) => void;

/** What makes something run every second, opened on an empty place, with its worker running. */
interface Recurrer {
  /** Makes schedules that each run at every full second. */
  every(schedules: readonly string[]): Promise<void>;
  /** Processor time of this process and of the server, in seconds. */
  cpuSeconds(): Promise<number>;
  close(): Promise<void>;
}

/** A recurrer before it is opened. */
export interface RecurrerEntry {
  readonly needs: 'redis' | 'nothing';
  open(place: Place, concurrency: number, started: Started): Promise<Recurrer>;
}

/** Processor time of this process, in seconds. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
