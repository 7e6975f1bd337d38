// Replicas: processes that are killed at random moments, half of them in the middle of work, and started again, until it is calm.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { seededRandom } from '@carillon/testing';
import type { ReplicaPlace } from './replica-process.js';

const PROGRAM = join(import.meta.dirname, '../../dist/e2e/schedules-chaos/replica-process.js');
const SHORTEST_LIFE_MS = 2_000;
const LONGEST_LIFE_MS = 15_000;
const AT_WORK_SHARE = 0.5;
const LONGEST_IDLE_MS = 10_000;
const START_AGAIN_MS = 500;

/** Some replicas. */
export class Replicas implements AsyncDisposable {
  /** The lives that were ended by a kill. */
  readonly killed = new Set<string>();
  /** How often one ended by itself, as it does if its queue has no topic when it starts. */
  failedStarts = 0;
  readonly #place: ReplicaPlace;
  readonly #random: ReturnType<typeof seededRandom>;
  readonly #calm = new AbortController();
  readonly #children = new Set<ChildProcess>();
  readonly #lives: Promise<ChildProcess>[];

  constructor(count: number, place: ReplicaPlace, seed: number) {
    this.#place = place;
    this.#random = seededRandom(seed);
    this.#lives = Array.from({ length: count }, (_, index) => this.#live(`replica-${index + 1}`));
  }

  /** Kills nobody from now on; resolves when all of them are there. */
  async calm(): Promise<void> {
    this.#calm.abort();
    await Promise.all(this.#lives);
  }

  /** Asks all to stop, in good order; resolves with those that did not. */
  async stop(): Promise<readonly string[]> {
    await this.calm();
    const ends = this.#lives.map(async (life) => {
      const child = await life;
      const ended = once(child, 'exit');
      child.send('stop');
      const [code, signal] = await ended;
      return code === 0 ? [] : [`A replica that was asked to stop ended with ${String(signal ?? code)}.`];
    });
    return (await Promise.all(ends)).flat();
  }

  /** Ends whoever is still there. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#calm.abort();
    for (const child of this.#children) child.kill('SIGKILL');
    await Promise.allSettled(this.#lives);
  }

  /** One replica through its lives; resolves with the last of them, ready, once it is calm. */
  async #live(name: string): Promise<ChildProcess> {
    for (let count = 1; ; count += 1) {
      const life = `${name}.${count}`;
      const child = fork(PROGRAM, [JSON.stringify({ life, place: this.#place })], { execArgv: [], stdio: 'pipe' });
      this.#children.add(child);
      const ended = once(child, 'exit').finally(() => this.#children.delete(child));
      const ready = await Promise.race([once(child, 'message'), ended.then(() => undefined)]);
      if (ready === undefined) {
        if (this.#calm.signal.aborted) return child;
        this.failedStarts += 1;
        await setTimeout(START_AGAIN_MS);
        continue;
      }
      if (this.#calm.signal.aborted) return child;
      const lifeMs = SHORTEST_LIFE_MS + this.#random.next() * (LONGEST_LIFE_MS - SHORTEST_LIFE_MS);
      await setTimeout(lifeMs, undefined, { signal: this.#calm.signal }).catch(() => {});
      if (this.#random.next() < AT_WORK_SHARE) await this.#begun(child);
      if (this.#calm.signal.aborted) return child;
      this.killed.add(life);
      child.kill('SIGKILL');
      await ended;
      await setTimeout(this.#random.next() * START_AGAIN_MS);
    }
  }

  /** Resolves when a handler has begun, or it is calm, or none begins for long. */
  async #begun(child: ChildProcess): Promise<void> {
    const signal = AbortSignal.any([this.#calm.signal, AbortSignal.timeout(LONGEST_IDLE_MS)]);
    await once(child, 'message', { signal }).catch(() => {});
  }
}
