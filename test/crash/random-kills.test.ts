// Workers are killed at random moments, again and again, while jobs are scheduled. One short run here, one for each seed in
// `npm run soak`.
//
// R1  Every acknowledged job ends: done exactly once, or, if it must not be repeated, perhaps indeterminate.
// R2  A done job has had its effect; a job that must not be repeated has had it, and has been started, at most once.
// R3  The fencing tokens of a job's attempts grow.
// R4  Nothing is left that could run again: no open record, no message.

import { setTimeout } from 'node:timers/promises';
import type { JobView } from '@carillon/core';
import { seededRandom } from '@carillon/testing';
import { describe, expect, it } from 'vitest';
import type { Child } from './child.js';
import type { Entry } from './journal.js';
import { Scene } from './scene.js';
import { policies, type Policy, tasks } from './tasks.js';

const SEEDS = Array.from({ length: Number(process.env['SOAK_SEEDS'] ?? 1) }, (_, index) => index + 1);
const KILLS = 12;
const WORKERS = 2;
const LONGEST_LIFE_MS = 400;
const LONGEST_PAUSE_MS = 10;

describe.each(['fused', 'halves'] as const)('%s', (store) => {
  it.each(SEEDS)(
    `loses nothing and does nothing twice through ${KILLS} kills at random moments, seed %i`,
    async (seed) => {
      const random = seededRandom(seed);
      await using scene = new Scene(store);
      const lease = store === 'fused' ? '30s' : '2s';
      let kills = 0;
      const crew = Array.from({ length: WORKERS }, async (): Promise<Child> => {
        for (;;) {
          const worker = scene.worker({ lease });
          await worker.told('ready');
          if (kills >= KILLS) return worker;
          kills += 1;
          await setTimeout(random.next() * LONGEST_LIFE_MS); // it dies at a random moment
          await worker.kill();
        }
      });

      const acknowledged: { policy: Policy; id: string }[] = [];
      const enough = new AbortController();
      const produce = async (): Promise<void> => {
        while (!enough.signal.aborted) {
          const policy = policies[acknowledged.length % policies.length]!;
          const pauseMs = Math.floor(random.next() * LONGEST_PAUSE_MS);
          const options = {
            id: `${policy}-${acknowledged.length}`,
            in: { milliseconds: Math.floor(random.next() * 100) },
          };
          const { id } = await scene.carillon.schedule(tasks[policy], { pauseMs }, options);
          acknowledged.push({ policy, id });
          await setTimeout(random.next() * LONGEST_PAUSE_MS);
        }
      };
      const producer = produce();
      await Promise.allSettled(crew);
      enough.abort();
      await producer;
      const survivors = await Promise.all(crew);

      const jobs = await Promise.all(acknowledged.map(({ policy, id }) => scene.settled(policy, id)));
      await Promise.all(survivors.map((worker) => worker.stop()));
      const journal = new Map<string, Entry[]>(jobs.map(({ id }) => [id, []]));
      for (const entry of scene.journal()) journal.get(entry.idempotencyKey)?.push(entry);
      expect(jobs.flatMap((job) => wrongs(job, journal.get(job.id) ?? []))).toEqual([]);
      expect(jobs.some(({ interruptions }) => interruptions > 0)).toBe(true); // the kills did meet work
      expect(await scene.leftovers()).toBe(0); // R4
    },
  );
});

/** What is wrong with a settled job, given what its handlers did. */
function wrongs(job: JobView, journal: readonly Entry[]): readonly string[] {
  const starts = journal.filter(({ what }) => what === 'start');
  const effects = journal.filter(({ what }) => what === 'effect').length;
  const completions = job.attempts.filter(({ outcome }) => outcome === 'done').length;
  const once = job.task === tasks['never-again'].name;
  const tokens = starts.map(({ fencingToken }) => fencingToken);
  const rules: Record<string, boolean> = {
    ends: job.state === 'done' || (once && job.state === 'indeterminate'), // R1
    'is done once': completions === (job.state === 'done' ? 1 : 0), // R1
    'has its effect': job.state !== 'done' || effects >= 1, // R2
    'is not repeated': !once || (starts.length <= 1 && effects <= 1), // R2
    'has growing tokens': tokens.every((token, index) => index === 0 || token > tokens[index - 1]!), // R3
  };
  const broken = Object.keys(rules).filter((rule) => rules[rule] === false);
  return broken.map(
    (rule) => `not true that ${job.id} ${rule}: ${job.state}, ${tokens.length} starts, ${effects} effects`,
  );
}
