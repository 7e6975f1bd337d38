// Redis fixture: a ledger on a real server for one test of the conformance suite, below a prefix of its own.

import { setTimeout as wait } from 'node:timers/promises';
import { redis } from '@carillon/redis-dedupe';
import type { RedisLedgerOptions } from '@carillon/redis-dedupe';
import type { LedgerFixture } from '@carillon/testing/conformance';

let prefixes = 0;
const EARLY_MS = 2; // a timer may fire a millisecond early, and the ledger's time is cut to whole ones

/** Keeps findings about test servers to itself. */
export const onFinding = (): void => {};

/** Opens an empty ledger; time is the server's own, so it is waited for. */
export async function openLedger(options: RedisLedgerOptions): Promise<LedgerFixture> {
  prefixes += 1;
  const own = { onFinding, ...options, prefix: `test-${prefixes}` };
  const opened = [redis(own)];
  await opened[0]!.open();
  return {
    ledger: opened[0]!,
    advance: (ms) => wait(ms + EARLY_MS),
    async second() {
      const other = redis(own);
      opened.push(other);
      await other.open();
      return other;
    },
    async close() {
      await Promise.all(opened.map((ledger) => ledger.close()));
    },
  };
}

/** Tries again until it no longer fails: a server that is coming back is met sooner or later. */
export async function until<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await wait(20);
    }
  }
}
