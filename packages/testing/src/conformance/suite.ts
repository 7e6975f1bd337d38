// Suite: turns the capabilities of a port into vitest tests that run against one adapter.
//
// C1  Every test gets a fresh fixture, and closes it however the test ends.
// C2  A test is left out only by an exception that says why; an exception that names no test fails.

import { describe, expect, test } from 'vitest';

/** A test that an adapter cannot pass, and why that is all right. */
export interface Exception {
  /** The test's name, without those of its suites. */
  readonly test: string;
  readonly reason: string;
}

/** What every harness says. */
export interface Harness<Fixture extends Closeable> {
  /** Opens a fresh, empty adapter. */
  readonly open: () => Promise<Fixture>;
  readonly exceptions?: readonly Exception[];
  /** How long one test may take, in ms of real time. Default 10,000. */
  readonly timeoutMs?: number;
}

/** Something that a test leaves behind closed. */
export interface Closeable {
  /** Closes every handle, and removes what the fixture made. */
  readonly close: () => Promise<void>;
}

/** Ends a test as skipped, with a reason. */
type Skip = (reason: string) => never;

/** Declares one test of a capability. */
export type Test<Fixture> = (name: string, run: (fixture: Fixture, skip: Skip) => Promise<void>) => void;

/** One capability: a group of tests. */
export type Capability<Fixture> = (test: Test<Fixture>) => void;

/** Declares the tests of all capabilities for one adapter. */
export function suite<Fixture extends Closeable>(
  name: string,
  harness: Harness<Fixture>,
  capabilities: Readonly<Record<string, Capability<Fixture>>>,
): void {
  const exceptions = new Map(harness.exceptions?.map(({ test, reason }) => [test, reason]));
  const declared = new Set<string>();

  const declare: Test<Fixture> = (title, run) => {
    if (declared.has(title)) throw new Error(`Two tests are called "${title}".`);
    declared.add(title);
    test(title, { timeout: harness.timeoutMs ?? 10_000 }, async (context) => {
      const reason = exceptions.get(title);
      if (reason !== undefined) context.skip(reason); // C2
      const fixture = await harness.open();
      try {
        await run(fixture, (why) => context.skip(why));
      } finally {
        await fixture.close(); // C1
      }
    });
  };

  describe(name, () => {
    for (const [title, capability] of Object.entries(capabilities)) describe(title, () => capability(declare));
    test('every exception names a test', () => {
      expect([...exceptions.keys()].filter((title) => !declared.has(title))).toEqual([]); // C2
    });
  });
}
