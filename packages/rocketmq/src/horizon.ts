// Horizon: how far ahead the broker takes messages: what the options say, until the broker teaches less.
//
// H1  It only ever shrinks.
// H2  What was computed before it shrank, or by a clock that differs from this host's, is not refused, which would be the end
//     of its job: it is sent for as far as the broker allows, and the engine makes a hop of it. Only what is twice as far
//     ahead as the options say can't be meant.

const CLOCKS_DIFFER_MS = 50_000;
const MOST_MARGIN_MS = 500_000;

/** The horizon of one transport. */
export class Horizon {
  readonly #declaredMs: number;
  #ms: number;

  constructor(declaredMs: number) {
    this.#declaredMs = declaredMs;
    this.#ms = declaredMs;
  }

  /** How far ahead a message may be sent, in ms. */
  get ms(): number {
    return this.#ms;
  }

  /** Whether a message so far ahead can be meant (H2). */
  allows(aheadMs: number): boolean {
    return aheadMs <= this.#declaredMs + Math.max(this.#declaredMs, CLOCKS_DIFFER_MS);
  }

  /** Learns from a refusal, which may name the longest delay there is; answers with the new horizon. */
  learn(longestMs: number | undefined): number {
    const named = longestMs === undefined ? this.#ms / 2 : longestMs - Math.min(longestMs / 10, MOST_MARGIN_MS);
    this.#ms = Math.min(named, this.#ms * 0.9); // H1
    return this.#ms;
  }
}
