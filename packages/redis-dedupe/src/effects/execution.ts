// Execution: what an effect must know of the attempt that causes it.

/** An attempt, as far as its effects go; every handler's `attempt` is one. */
export interface Execution {
  /** The same for every attempt of a job: what an effect is remembered by. */
  readonly idempotencyKey: string;
  /** Grows with every attempt: what an overtaken one is refused by. */
  readonly fencingToken: number;
  /** Aborts when the attempt has been told to stop. */
  readonly signal?: AbortSignal;
}
