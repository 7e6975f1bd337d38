// Ending: how a wait ends, and that nothing is granted to a receiver that is gone.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import { LEASE_MS } from '../ledger/ledger-probe.js';
import type { ProbedBackend } from './fused-probe.js';
import { grantsOf, idsOf } from './fused-probe.js';

/** How a wait ends. */
export function ending(test: Test<ProbedBackend>): void {
  test('says that it is fused, and what its limits are', async ({ backend }) => {
    expect(backend.fused).toBe(true);
    const { horizonMs, leaseMs } = backend.transport.limits;
    expect(horizonMs).toBeGreaterThan(0);
    expect(leaseMs[0]).toBeLessThanOrEqual(leaseMs[1]);
  });

  test('ends the wait on its signal, with nothing', async ({ probe, advance }) => {
    const pending = probe.receive();
    await advance(50);
    expect(pending.answered()).toBe(false);
    expect(await pending.abort()).toEqual([]);
  });

  test('does not wait if the signal has ended already, and grants nothing', async ({ ledger, probe }) => {
    await ledger.place('a');
    expect(await probe.receive({ signal: AbortSignal.abort() }).answer).toEqual([]);
    expect(await ledger.read('a')).toMatchObject({ lease: undefined, fence: 0 });
  });

  test('L3: grants nothing that it does not hand over, also when the wait ends meanwhile', async ({
    ledger,
    probe,
  }) => {
    const handed = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const pending = probe.receive({ leaseMs: 60_000 });
      const placing = ledger.place(`job-${round}`);
      if (round % 2 === 0) await placing;
      for (const id of idsOf(grantsOf(await pending.abort()))) handed.add(id);
      await placing;
    }
    for (let round = 0; round < 20; round += 1) {
      const record = await ledger.demand(`job-${round}`);
      expect(record.lease !== undefined, record.key.id).toBe(handed.has(record.key.id));
    }
  });

  test('ends the wait when it closes, and is closed and opened twice without harm', async ({
    backend,
    probe,
    advance,
  }) => {
    await backend.transport.open();
    const pending = probe.receive();
    await advance(50);
    await backend.transport.close();
    expect(await pending.answer).toEqual([]);
    await backend.transport.close();
  });

  test('leaves the receivers of another handle alone when it closes', async ({
    backend,
    ledger,
    probe,
    second,
    advance,
  }, skip) => {
    if (second === undefined) return skip('The harness offers no second handle.');
    const other = await second();
    const pending = probe.through(other.transport).receive();
    await advance(50);
    await backend.transport.close();
    await ledger.through(other.ledger).place('a');
    await advance(100);
    expect(idsOf(grantsOf(await pending.answer))).toEqual(['a']);
  });

  test('P2: what a closed handle held is received by another, at its lease’s end at the latest', async ({
    backend,
    ledger,
    probe,
    second,
    advance,
  }, skip) => {
    if (second === undefined) return skip('The harness offers no second handle.');
    const other = await second();
    await ledger.place('a');
    await probe.one();
    await backend.transport.close();
    await backend.ledger.close();
    const pending = probe.through(other.transport).receive();
    await advance(LEASE_MS);
    expect(idsOf(grantsOf(await pending.answer))).toEqual(['a']);
  });
}
