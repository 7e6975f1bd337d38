import { afterAll, expect, it } from 'vitest';
import { Crew } from './crew.js';
import { type Trial, trialOf } from '@carillon/testing/simulation';

/** Breaks on a workload that is called so: by an error, by ending, by never coming back. */
const program = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ trial }) => {
      if (trial.workload === 'dies') throw new Error('it died');
      if (trial.workload === 'exits') process.exit(0);
      if (trial.workload === 'hangs') for (;;);
      parentPort.postMessage({ is: 'line', text: 'under way' });
      parentPort.postMessage({ is: 'ran', outcome: trial.plan.seed, story: [] });
    });
  `)}`,
);
const LONG_MS = 60_000;
const trial = (seed: number, workload = 'runs'): Trial => ({
  ...trialOf(seed, { choices: {}, workload: 'mixed', jobs: 1 }),
  workload,
});
const crew = new Crew(2, program);
afterAll(() => crew.dismiss());

it('runs more seeds than it has threads, and hands on what they say', async () => {
  const heard: string[] = [];
  const hear = (line: string): void => void heard.push(line);
  const seeds = [1, 2, 3, 4, 5];
  const rans = await Promise.all(seeds.map((seed) => crew.run({ trial: trial(seed) }, LONG_MS, hear)));
  expect(rans.map(({ outcome }) => outcome)).toEqual(seeds);
  expect(heard).toHaveLength(5);
});

it.each([
  ['dies', LONG_MS, 'it died'],
  ['exits', LONG_MS, 'The thread of the run has ended.'],
  ['hangs', 50, 'The run had not come to rest after 0.05 s.'],
])('C1: survives a thread that %s', async (workload, withinMs, message) => {
  const broken = [1, 2, 3].map((seed) => crew.run({ trial: trial(seed, workload) }, withinMs));
  for (const one of await Promise.allSettled(broken)) {
    expect(one).toMatchObject({ status: 'rejected', reason: { message } });
  }
  await expect(crew.run({ trial: trial(4) }, LONG_MS)).resolves.toMatchObject({ outcome: 4 });
});
