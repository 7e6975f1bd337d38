// Retention: the ledger itself removes settled records whose time is over, soon after; nothing else ever.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { FAR_MS } from './ledger-probe.js';

const RETENTION_MS = 500;
const SOON_MS = 120_000; // how long a ledger may take to remove what has expired
const STEP_MS = 50;

/** The removal of what has expired. */
export function retention(test: Test<ProbedLedger>): void {
  test('removes a settled record some time after it expires, and not before', async ({ ledger, probe, advance }) => {
    const expiresAt = (await ledger.now()) + RETENTION_MS;
    await probe.put('a', { absent: true }, probe.settled({ expiresAt }));
    expect(await probe.read('a')).toMatchObject({ expiresAt });
    await until(advance, async () => (await probe.read('a')) === undefined);
    expect(await ledger.now()).toBeGreaterThanOrEqual(expiresAt);
    expect((await ledger.list({ kind: 'job', limit: 10 })).records).toEqual([]);
    expect(await probe.claim('a')).toEqual({ answer: 'absent' });
    expect(await probe.place('a')).toMatchObject({ version: 1 });
  });

  test('keeps what has no expiry, what is open, and what was given longer', async ({ ledger, probe, advance }) => {
    const expiresAt = (await ledger.now()) + RETENTION_MS;
    await probe.put('for-ever', { absent: true }, probe.settled());
    await probe.put('open', { absent: true }, probe.content({ expiresAt }));
    await probe.put('longer', { absent: true }, probe.settled({ expiresAt }));
    await probe.put('longer', { version: 1 }, probe.settled({ expiresAt: expiresAt + FAR_MS }));
    await probe.put('reopened', { absent: true }, probe.settled({ expiresAt }));
    await probe.put('reopened', { version: 1 }, probe.content({ expiresAt }));
    await probe.put('witness', { absent: true }, probe.settled({ expiresAt: expiresAt + 1 }));
    await until(advance, async () => (await probe.read('witness')) === undefined);
    const { records } = await ledger.list({ kind: 'job', limit: 10 });
    expect(records.map((record) => record.key.id).toSorted()).toEqual(['for-ever', 'longer', 'open', 'reopened']);
  });

  test('removes many records that expire together', async ({ ledger, probe, advance }) => {
    const expiresAt = (await ledger.now()) + RETENTION_MS;
    const changes = Array.from({ length: 300 }, (_, index) => ({
      nonce: probe.nonce(),
      durable: true,
      writes: [
        {
          do: 'put',
          key: { kind: 'job', id: `job-${index}`, partition: 'shared' },
          expect: { absent: true },
          content: probe.settled({ expiresAt }),
        } as const,
      ],
    }));
    await ledger.commit(changes);
    await until(advance, async () => (await ledger.list({ kind: 'job', limit: 1 })).records.length === 0);
    expect(await probe.pages((cursor) => ledger.list({ kind: 'job', limit: 100, ...cursor }))).toEqual([]);
  });
}

/** Lets time pass in steps until a condition holds, which it must soon. */
async function until(advance: (ms: number) => Promise<void>, holds: () => Promise<boolean>): Promise<void> {
  for (let waitedMs = 0; waitedMs < SOON_MS; waitedMs += STEP_MS) {
    if (await holds()) return;
    await advance(STEP_MS);
  }
  throw new Error(`Nothing was removed within ${SOON_MS} ms.`);
}
