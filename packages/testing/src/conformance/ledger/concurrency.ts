// Concurrency: calls that run at the same time, from one process and from two.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';
import { jobKey } from './ledger-probe.js';
import type { LedgerProbe } from './ledger-probe.js';

/** Calls at the same time. */
export function concurrency(test: Test<ProbedLedger>): void {
  test('L3: grants one of a hundred claims at the same time', async ({ probe }) => {
    await probe.place('a');
    await race([probe]);
  });

  test('L3: grants one of a hundred claims from two handles', async ({ probe, second }, skip) => {
    if (second === undefined) return skip('The harness offers no second handle.');
    await probe.place('a');
    await race([probe, probe.through(await second())]);
  });

  test('takes one of a hundred puts on the same version', async ({ probe, second }) => {
    await probe.place('a');
    const probes = second === undefined ? [probe] : [probe, probe.through(await second())];
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        probes[index % probes.length]!.put('a', { version: 1 }, probe.content({ state: `by-${index}` })),
      ),
    );
    const winners = answers.flatMap((answer, index) => (answer.answer === 'ok' ? [index] : []));
    expect(winners).toHaveLength(1);
    expect(await probe.read('a')).toMatchObject({ version: 2, state: `by-${winners[0]}` });
    expect(answers.filter((answer) => answer.answer === 'conflict')).toHaveLength(99);
  });

  test('counts to a hundred by compare-and-set', async ({ probe, second }) => {
    await probe.place('a', { body: '0' });
    const probes = second === undefined ? [probe] : [probe, probe.through(await second())];
    const increment = async (by: LedgerProbe): Promise<void> => {
      for (;;) {
        const { version, body } = await by.demand('a');
        const answer = await by.put('a', { version }, by.content({ body: String(Number(body) + 1) }));
        if (answer.answer === 'ok') return;
      }
    };
    const worker = async (by: LedgerProbe): Promise<void> => {
      for (let count = 0; count < 10; count += 1) await increment(by);
    };
    await Promise.all(Array.from({ length: 10 }, (_, index) => worker(probes[index % probes.length]!)));
    expect(await probe.read('a')).toMatchObject({ version: 101, body: '100' });
  });

  test('shows an answered write to another handle at once', async ({ probe, second }, skip) => {
    if (second === undefined) return skip('The harness offers no second handle.');
    const other = probe.through(await second());
    for (let round = 0; round < 20; round += 1) {
      const id = `job-${round}`;
      await probe.place(id, { queue: id });
      const { fence } = await other.grant(id);
      expect(await probe.claim(id)).toMatchObject({ answer: 'busy' });
      await other.put(id, { version: 2, fence }, probe.settled({ queue: id }));
      expect(await probe.read(id)).toMatchObject({ version: 3, state: 'completed', lease: undefined });
    }
  });

  test('L1: nobody ever sees half a change', async ({ probe, second }) => {
    const left = jobKey('left', 'shared');
    const right = jobKey('right', 'shared');
    const reader = second === undefined ? probe : probe.through(await second());
    const move = (round: number) =>
      probe.commit(
        [left, right].map((key) => ({
          do: 'put',
          key,
          expect: { any: true },
          content: probe.content({ body: String(round) }),
        })),
      );
    await move(0);
    const writes = Promise.all(Array.from({ length: 50 }, (_, round) => move(round + 1)));
    for (let round = 0; round < 50; round += 1) {
      const [a, b] = await reader.ledger.read([left, right]);
      expect([a?.version, a?.body]).toEqual([b?.version, b?.body]);
    }
    await writes;
  });
}

async function race(probes: readonly LedgerProbe[]): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      probes[index % probes.length]!.claim('a', { holder: `engine-${index}`, leaseMs: 60_000 }),
    ),
  );
  const granted = answers.flatMap((answer, index) => (answer.answer === 'granted' ? [index] : []));
  expect(granted).toHaveLength(1);
  expect(answers.filter((answer) => answer.answer === 'busy')).toHaveLength(99);
  const [probe] = probes;
  expect(await probe!.read('a')).toMatchObject({ lease: { holder: `engine-${granted[0]}` } });
}
