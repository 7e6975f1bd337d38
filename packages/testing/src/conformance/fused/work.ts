// Work: receiving and committing at full speed, from several receivers at once.

import { expect } from 'vitest';
import type { Grant } from '@carillon/core/spi';
import type { Test } from '../suite.js';
import { jobKey } from '../ledger/ledger-probe.js';
import type { LedgerProbe } from '../ledger/ledger-probe.js';
import type { ProbedBackend } from './fused-probe.js';
import { grantsOf } from './fused-probe.js';
import type { FusedProbe } from './fused-probe.js';

const JOBS = 300;

/** Receiving and committing at full speed. */
export function work(test: Test<ProbedBackend>): void {
  test('L3: two receivers get each record once', async ({ ledger, probe, second }) => {
    await placeAll(ledger);
    const other = second === undefined ? undefined : await second();
    const probes = [probe, other === undefined ? probe : probe.through(other.transport)];
    const seen: string[] = [];
    const end = new AbortController();
    const receiver = async (by: FusedProbe): Promise<void> => {
      while (seen.length < JOBS) {
        const taken = await by.receive({ max: 7, leaseMs: 600_000, signal: end.signal }).answer;
        seen.push(...grantsOf(taken).map(({ record }) => record.key.id));
      }
      end.abort();
    };
    await Promise.all(probes.map(receiver));
    expect(seen).toHaveLength(JOBS);
    expect(new Set(seen).size).toBe(JOBS);
  });

  test('L1, L3: receivers that commit as they go complete each job once', async ({ ledger, probe, second }) => {
    await placeAll(ledger);
    const other = second === undefined ? undefined : await second();
    const sides: readonly (readonly [FusedProbe, LedgerProbe])[] = [
      [probe, ledger],
      other === undefined ? [probe, ledger] : [probe.through(other.transport), ledger.through(other.ledger)],
    ];
    let done = 0;
    const end = new AbortController();
    const receiver = async ([by, to]: readonly [FusedProbe, LedgerProbe]): Promise<void> => {
      while (done < JOBS) {
        const taken = grantsOf(await by.receive({ max: 10, leaseMs: 600_000, signal: end.signal }).answer);
        await Promise.all(taken.map((grant) => complete(to, grant)));
        done += taken.length;
      }
      end.abort();
    };
    await Promise.all([...sides, ...sides].map(receiver));
    expect(done).toBe(JOBS);
    const records = await ledger.pages((cursor) => ledger.ledger.list({ kind: 'job', limit: 100, ...cursor }));
    expect(records).toHaveLength(JOBS);
    expect(records.filter(({ version, state }) => version === 3 && state === 'completed')).toHaveLength(JOBS);
    await probe.nothing();
  });

  test('a record that re-arms itself is received again and again', async ({ ledger, probe }) => {
    await ledger.place('a', { body: '0' });
    for (let turn = 1; turn <= 50; turn += 1) {
      const { fence, record } = await probe.one();
      expect(record.body).toBe(String(turn - 1));
      await ledger.put(
        'a',
        { version: record.version, fence },
        ledger.content({ body: String(turn), generation: turn }),
      );
    }
    expect(await ledger.read('a')).toMatchObject({ version: 101, body: '50', interrupted: [] });
  });
}

async function complete(ledger: LedgerProbe, { fence, record }: Grant): Promise<void> {
  const answer = await ledger.put(record.key.id, { version: record.version, fence }, ledger.settled());
  expect(answer).toEqual({ answer: 'ok' });
}

async function placeAll(ledger: LedgerProbe): Promise<void> {
  const changes = Array.from({ length: JOBS }, (_, index) => ({
    nonce: ledger.nonce(),
    durable: true,
    writes: [{ do: 'put', key: jobKey(`job-${index}`), expect: { absent: true }, content: ledger.content() } as const],
  }));
  expect(await ledger.ledger.commit(changes)).toHaveLength(JOBS);
}
