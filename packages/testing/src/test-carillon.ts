// Test Carillon: a Carillon in virtual time for users' own tests: no sleep, no server, no file.

import { Carillon, type CarillonOptions, type Duration, silentLogger, type TaskDefinition } from '@carillon/core';
import { durationMs } from '@carillon/core/spi';
import { memoryStore } from './memory/memory.js';
import { seededIds } from './seeded-ids.js';
import { seededRandom } from './seeded-random.js';
import { VirtualClock } from './virtual-clock.js';

/** What can be set for a test; the rest is the test's own: time, randomness, ids and a store in memory. */
export type TestCarillonOptions = Omit<CarillonOptions, 'backend' | 'tasks' | 'clock' | 'random' | 'ids'> & {
  /** When the test begins; default 2026-01-01T00:00Z. */
  readonly startAt?: Date;
  /** Draws jitter; the same seed gives the same test. Default 1. */
  readonly seed?: number;
};

/** A Carillon that has been started, and the time that it lives in. */
export class TestCarillon extends Carillon {
  /** The clock that every due time is judged by. */
  readonly clock: VirtualClock;

  /** Use `testCarillon`, which also starts it. */
  constructor(tasks: readonly TaskDefinition[], { startAt, seed = 1, ...options }: TestCarillonOptions = {}) {
    const clock = new VirtualClock(startAt?.getTime());
    super({
      logger: silentLogger,
      ...options,
      backend: memoryStore({ clock }),
      tasks,
      clock,
      random: seededRandom(seed),
      ids: seededIds(),
    });
    this.clock = clock;
  }

  /** The time it is in the test. */
  get now(): Date {
    return new Date(this.clock.now());
  }

  /** Lets time pass: everything that falls due on the way happens at its own instant, then the call resolves. */
  async advance(duration: Duration): Promise<void> {
    await this.clock.advance(durationMs(duration, 'advance'));
  }
}

/** Starts a Carillon in virtual time that runs `tasks`. */
export async function testCarillon(
  tasks: readonly TaskDefinition[] = [],
  options: TestCarillonOptions = {},
): Promise<TestCarillon> {
  const carillon = new TestCarillon(tasks, options);
  await carillon.start();
  return carillon;
}
