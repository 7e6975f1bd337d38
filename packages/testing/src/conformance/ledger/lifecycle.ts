// Lifecycle: opening and closing, and the clock.

import { expect } from 'vitest';
import type { Test } from '../suite.js';
import type { ProbedLedger } from './ledger-probe.js';

/** Opening, closing, and the clock. */
export function lifecycle(test: Test<ProbedLedger>): void {
  test('is opened twice and closed twice without harm', async ({ ledger, probe }) => {
    await ledger.open();
    await probe.place('a');
    await ledger.open();
    expect(await probe.read('a')).toBeDefined();
    await ledger.close();
    await ledger.close();
  });

  test('fails a call on a closed ledger', async ({ ledger, probe }) => {
    await ledger.close();
    await expect(ledger.now()).rejects.toBeInstanceOf(Error);
    await expect(probe.read('a')).rejects.toBeInstanceOf(Error);
    await expect(probe.put('a', { absent: true })).rejects.toBeInstanceOf(Error);
  });

  test('has a clock that moves forward, in whole or broken milliseconds since 1970', async ({ ledger, advance }) => {
    const before = await ledger.now();
    expect(before).toBeGreaterThan(Date.UTC(2020, 0, 1));
    await advance(100);
    const after = await ledger.now();
    expect(after - before).toBeGreaterThanOrEqual(100);
    expect(after - before).toBeLessThan(60_000);
  });

  test('names its durability', async ({ ledger }) => {
    expect(['fsync', 'replicated', 'async', 'memory']).toContain(ledger.durability);
  });

  test('keeps its records when one of two handles closes', async ({ ledger, probe, second }, skip) => {
    if (second === undefined) return skip('The harness offers no second handle.');
    const other = probe.through(await second());
    await probe.place('a');
    await ledger.close();
    expect(await other.read('a')).toMatchObject({ version: 1 });
    expect(await other.grant('a')).toMatchObject({ record: { version: 2 } });
  });
}
