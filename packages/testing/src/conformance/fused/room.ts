// Room: how much is received, and for which tasks.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import { jobKey } from '../ledger/ledger-probe.js';
import type { LedgerProbe } from '../ledger/ledger-probe.js';
import type { ProbedBackend } from './fused-probe.js';

/** Limits per call and per task. */
export function room(test: Test<ProbedBackend>): void {
  test('P3: never receives more than was asked for', async ({ ledger, probe }) => {
    await placeAll(ledger, 30, 'mail');
    let seen = 0;
    for (const max of [1, 7, 20, 100]) {
      const taken = await probe.take({ max, leaseMs: 60_000 });
      expect(taken.length).toBeLessThanOrEqual(max);
      seen += taken.length;
    }
    while (seen < 30) seen += (await probe.take({ leaseMs: 60_000 })).length;
    await probe.nothing();
    expect(seen).toBe(30);
  });

  test('a task without room never starves the others, however much of it is due', async ({ ledger, probe }) => {
    await placeAll(ledger, 500, 'full', { wakeAt: ledger.start - 60_000 });
    await placeAll(ledger, 3, 'free');
    const seen: string[] = [];
    while (seen.length < 3) {
      const taken = await probe.take({ room: new Map([['full', 0]]), leaseMs: 60_000 });
      seen.push(...taken.map(({ record }) => record.task));
    }
    expect(seen).toEqual(['free', 'free', 'free']);
    await probe.nothing({ room: new Map([['full', 0]]) });
  });

  test('receives of each task as many as it has room for', async ({ ledger, probe }) => {
    await placeAll(ledger, 10, 'tight', { wakeAt: ledger.start - 60_000 });
    await placeAll(ledger, 10, 'wide');
    const counts = new Map<string, number>();
    const limits = new Map([['tight', 2]]);
    for (let left = 20; left > 0;) {
      const tight = 2 - (counts.get('tight') ?? 0);
      const pending = probe.receive({ max: 20, room: limits.set('tight', tight), leaseMs: 60_000 });
      const deliveries =
        (counts.get('wide') ?? 0) + (counts.get('tight') ?? 0) < 12 ? await pending.answer : await pending.abort();
      for (const { granted } of deliveries) {
        const { task } = granted!.record;
        counts.set(task, (counts.get(task) ?? 0) + 1);
      }
      left = deliveries.length === 0 ? 0 : left - deliveries.length;
    }
    expect(Object.fromEntries(counts)).toEqual({ tight: 2, wide: 10 });
  });

  test('waits while no task has room, and wakes for one that has', async ({ ledger, probe, advance }) => {
    await placeAll(ledger, 5, 'full');
    const pending = probe.receive({ room: new Map([['full', 0]]) });
    await advance(200);
    expect(pending.answered()).toBe(false);
    await ledger.place('free', { task: 'free' });
    expect((await pending.answer).map(({ granted }) => granted?.record.task)).toEqual(['free']);
    expect(await probe.take({ leaseMs: 60_000 })).not.toHaveLength(0);
  });
}

async function placeAll(
  ledger: LedgerProbe,
  count: number,
  task: string,
  over: { wakeAt?: number } = {},
): Promise<void> {
  const changes = Array.from({ length: count }, (_, index) => ({
    nonce: ledger.nonce(),
    durable: true,
    writes: [
      {
        do: 'put',
        key: jobKey(`${task}-${index}`),
        expect: { absent: true },
        content: ledger.content({ task, ...over }),
      } as const,
    ],
  }));
  const answers = await ledger.ledger.commit(changes);
  expect(answers.every(({ answer }) => answer === 'ok')).toBe(true);
}
