// What claims work and reports its end: the one shape that the ledger and what it is compared with are driven through.

/** Claims of one store, opened on an empty Redis. */
export interface Claimer {
  /** Claims `id`; throws unless it is granted. What it resolves with is handed to `finish`. */
  claim(id: string): Promise<number>;
  /** Reports the end of what was claimed; throws if it does not count. */
  finish(id: string, fence: number): Promise<void>;
  close(): Promise<void>;
}

/** How long a claim lasts, and how long its end is remembered, in milliseconds. */
export const LEASE_MS = 30_000;
export const KEPT_MS = 345_600_000;
