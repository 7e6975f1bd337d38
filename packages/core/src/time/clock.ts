// Clock, randomness and ids: the ports through which the engine meets what is not deterministic.
//
// T1  No other file of the engine reads a clock, sets a timer or draws a random number, so a simulator that
//     passes its own ports decides everything that happens.

import { randomBytes } from 'node:crypto';
import type { Instant } from './instant.js';

/** A timer that has been set. */
export interface Timer {
  /** Forgets the timer; harmless once it has fired. */
  cancel(): void;
}

/** Where the engine gets the time from, and who wakes it. */
export interface Clock {
  /** This host's wall clock. Due times and leases are judged by the ledger's clock, never by this one. */
  now(): Instant;
  /** Milliseconds that only ever grow, for measuring how long something took. */
  monotonic(): number;
  /** Calls `wake` once, `delayMs` from now or later; any delay is fine, also one beyond 24 days. */
  after(delayMs: number, wake: () => void): Timer;
  /** Calls `wake` once, after everything that is ready now has run: how work of one moment is gathered into one batch. */
  soon(wake: () => void): void;
}

/** Where jitter comes from. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** Where identities come from. */
export interface Ids {
  /** A new job id: unique, URL-safe, growing with time, so that stores append. */
  job(): string;
  /** A name for one request, unique among the requests on one record: repeating a request repeats its nonce. */
  nonce(): string;
}

const LONGEST_TIMEOUT_MS = 2 ** 31 - 1; // setTimeout turns anything longer into 1 ms

/** The host's own clock and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, wake) {
    const until = performance.now() + delayMs;
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      const rest = until - performance.now();
      if (rest <= LONGEST_TIMEOUT_MS) handle = setTimeout(wake, Math.max(0, Math.ceil(rest)));
      else handle = setTimeout(arm, LONGEST_TIMEOUT_MS);
    };
    arm();
    return { cancel: () => clearTimeout(handle) };
  },
  soon: (wake) => void setImmediate(wake),
};

/** `Math.random`. */
export const systemRandom: Random = { next: () => Math.random() };

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford's base 32, in ASCII order

/** Ids of 20 characters: 9 of time in milliseconds, 11 that start at random (52 bits) and count up; nonces that count up
 *  behind 40 random bits of the process. */
export function systemIds(clock: Pick<Clock, 'now'> = systemClock): Ids {
  let lastMs = -1;
  let prefix = '';
  let high = 0;
  let low = 0;
  let spare = Buffer.alloc(0);
  let used = 0;

  const draw = (bytes: number): number => {
    if (used + bytes > spare.length) {
      spare = randomBytes(1024);
      used = 0;
    }
    const value = spare.readUIntBE(used, bytes);
    used += bytes;
    return value;
  };

  const text = (value: number, digits: number): string => {
    let out = '';
    for (let rest = value; digits > 0; digits -= 1) {
      out = ALPHABET[rest % 32] + out;
      rest = Math.floor(rest / 32);
    }
    return out;
  };

  const session = text(draw(5), 8);
  let nonces = 0;

  return {
    job() {
      const now = Math.max(lastMs, clock.now());
      if (now !== lastMs) {
        lastMs = now;
        prefix = text(now, 9);
        high = draw(3) % 2 ** 20;
        prefix += text(high, 4);
        low = draw(4);
      }
      low += 1;
      return prefix + low.toString(36).padStart(7, '0'); // digits before letters, as in ASCII: it grows
    },
    nonce: () => session + (nonces += 1).toString(36),
  };
}
