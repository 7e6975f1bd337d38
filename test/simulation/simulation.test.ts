// The simulation in CI: fixed sets of seeds that must pass and must not be too tame, some new ones each time, and the tools
// that tell of a failure. `npm run simulate` runs more, and makes small what has failed here.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import {
  type Live,
  liveBuiltIn,
  type MonitorMaker,
  outcomeOf,
  reproductionOf,
  run,
  shrink,
  Story,
  trialOf,
  WORKLOADS,
} from '@carillon/testing/simulation';
import { parseOptions } from './options.js';

const main = join(import.meta.dirname, '..', 'dist', 'simulation', 'main.js');
const MIXED = '--seeds 16 --hours 6';
const FORGETFUL = '--seeds 4 --hours 2 --faults failover=5,eviction=20,crash=0.002'; // losses are rare elsewhere
const KEYS = '--workload keys --seeds 4 --hours 2';
const SCHEDULES = '--workload schedules --from 12 --seeds 10 --hours 2';
const FORGETFUL_SCHEDULES =
  '--workload schedules --seeds 4 --hours 2 --faults failover=5,eviction=20,crash=0.002,versions=0.5';
const DESERTED_SCHEDULES = '--workload schedules --shape fused --seeds 6 --hours 2 --faults crash=0.05'; // nobody at a slot
const NEW = '--seeds 4 --hours 3';
const LIMIT_MS = 180_000; // a busy machine takes several times as long as an idle one

interface SeedRow {
  readonly row: 'seed';
  readonly passed: boolean;
  readonly seed: number;
  readonly hash: string;
  readonly breaks: string;
  readonly text: string;
  readonly about: string;
  readonly reproduction: string;
}

interface SummaryRow {
  readonly row: 'summary';
  readonly neverHappened: readonly string[];
}

/** What the command says about some seeds; throws what they broke, with the lines that repeat it. */
async function simulate(flags: string): Promise<{ readonly seeds: readonly SeedRow[]; readonly summary: SummaryRow }> {
  const child = spawn(process.execPath, [main, '--json', '--no-shrink', ...flags.split(' ')]);
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SeedRow | SummaryRow);
  const seeds = rows.filter((row) => row.row === 'seed');
  const failed = seeds.filter(({ passed }) => !passed);
  if (failed.length > 0) {
    const said = failed.map(
      ({ breaks, text, about, reproduction }) => `${breaks}: ${text} (${about})\n  ${reproduction}`,
    );
    throw new Error(`${failed.length} of ${seeds.length} seeds failed.\n${said.join('\n')}`);
  }
  expect(status, stderr).toBe(0);
  return { seeds, summary: rows.find((row) => row.row === 'summary')! };
}

/** What happens in none of some sets of seeds, of what should happen in the first; throws if one fails. */
async function neverHappened(first: string, ...others: readonly string[]): Promise<readonly string[]> {
  let names = (await simulate(first)).summary.neverHappened;
  for (const flags of others) {
    const { summary } = await simulate(flags);
    names = names.filter((name) => summary.neverHappened.includes(name));
  }
  return names;
}

describe('the simulation', () => {
  it('passes fixed seeds, which between them take every way out of trouble', { timeout: LIMIT_MS }, async () => {
    expect(await neverHappened(MIXED, FORGETFUL)).toEqual([]);
  });

  it('passes fixed seeds with edits at bad moments', { timeout: LIMIT_MS }, async () => {
    await simulate(KEYS);
  });

  it('passes fixed seeds with schedules, to which between them everything happens', { timeout: LIMIT_MS }, async () => {
    expect(await neverHappened(SCHEDULES, FORGETFUL_SCHEDULES, DESERTED_SCHEDULES)).toEqual([]);
  });

  it('passes seeds that nobody has run before', { timeout: LIMIT_MS }, async () => {
    const flags = `${NEW} --from ${Math.floor(Date.now() / 1000)}`;
    console.log(`new seeds: npm run simulate -- ${flags}`);
    await simulate(flags);
  });

  it(
    'replays: a seed that is run again, here or elsewhere, shows the same in the same order',
    { timeout: LIMIT_MS },
    async () => {
      const hashes = async (): Promise<readonly string[]> => {
        const { seeds } = await simulate('--seeds 3 --hours 1 --twice');
        return seeds.toSorted((one, other) => one.seed - other.seed).map(({ hash }) => hash);
      };
      expect(await hashes()).toEqual(await hashes());
    },
  );
});

it('wrong flags: it says which, in a few lines, and exits with 2', async () => {
  const child = spawn(process.execPath, [main, '--seed', '7', '--faults', 'crsh=1']);
  const [stderr, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(stderr).toContain('--faults crsh=1 is not understood.');
  expect(stderr.split('\n').length).toBeLessThan(5);
  expect(status).toBe(2);
});

describe('a failing seed', () => {
  /** A monitor that is wrong on purpose: it takes a pause for a violation. */
  const againstPauses: MonitorMaker = ({ violate }) => ({
    watch: (observation) => {
      if (observation.what === 'host' && observation.change === 'paused')
        violate('I11', observation.host!, 'it stands still');
    },
  });
  const live: Live = ({ plan, workload, jobs }, observers) =>
    run(plan, WORKLOADS[workload]!(plan, { jobs }), [againstPauses], observers);
  const choices = {
    hours: 3,
    engines: 3,
    faults: { duplicate: 0.02, late: 0.01, slow: 0.01, crash: 0.0005, pause: 2, restart: 1, 'clock-step': 0.5 },
  };

  it('is made small: of its faults only the guilty one is left', { timeout: LIMIT_MS }, async () => {
    const failing = await outcomeOf(trialOf(1, { choices, workload: 'streams', jobs: Infinity }), live);
    expect(failing.failure).toMatchObject({ breaks: 'I11', text: 'it stands still' });
    const { smallest } = await shrink(failing, { attempt: (trial) => outcomeOf(trial, live) });
    expect(smallest.trial.plan.faults).toEqual({ pause: 2 });
    expect(smallest.trial.plan.engines).toBeLessThan(choices.engines);
    expect(smallest.trial.plan.hours).toBeLessThan(choices.hours);
    expect(smallest.trial.jobs).toBe(1);

    const { seeds, ...read } = parseOptions(flagsOf(reproductionOf(smallest.trial)), 1);
    expect(await outcomeOf(trialOf(seeds[0]!, read), live)).toEqual(smallest); // the line that is printed

    const story = new Story(smallest.failure!.about);
    const again = await outcomeOf(smallest.trial, live, { observers: [story.watch] });
    expect(again).toEqual(smallest);
    expect(story.told(again.failure!).slice(-2).join('\n')).toMatch(
      /engine-\d  STANDS STILL\n.*VIOLATION I11: it stands still/,
    );
  });

  it('is repeated by its line, whatever of it was chosen', { timeout: LIMIT_MS }, async () => {
    const faults = { duplicate: 0.05, 'send-lost': 0.013, crash: 0.0021, pause: 2.5, skew: 17, versions: 0.3 };
    const small = { hours: 0.37, engines: 2, shape: 'apart', precisionMs: 1000, horizonMs: 600_000, faults } as const;
    for (const [workload, jobs, choices] of [
      ['mixed', 9, small],
      ['schedules', Infinity, { ...small, faults: {} }],
      ['hops', 7, { hours: 0.5, shape: 'fused', horizonMs: Infinity }],
    ] as const) {
      const trial = trialOf(11, { choices, workload, jobs });
      const { hash, events } = await outcomeOf(trial, liveBuiltIn);
      const { seeds } = await simulate(flagsOf(reproductionOf(trial)).join(' '));
      expect(seeds).toMatchObject([{ seed: 11, hash, events }]);
    }
  });
});

/** The flags of a line that repeats a run. */
function flagsOf(line: string): readonly string[] {
  return line.replace('npm run simulate -- ', '').split(' ');
}
