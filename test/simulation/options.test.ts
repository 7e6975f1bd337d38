import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FAULT_NAMES } from '@carillon/testing/simulation';
import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants/catalog.js';
import { parseOptions, USAGE } from './options.js';

const CORES = 2;
const manual = readFileSync(join(import.meta.dirname, '../../docs/simulation.md'), 'utf8');

describe('the flags of simulate', () => {
  it('have defaults', () => {
    const { seeds, ...options } = parseOptions([], CORES);
    expect(seeds).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(options).toEqual({
      workload: 'mixed',
      jobs: Infinity,
      choices: { hours: 24 },
      single: false,
      workers: CORES,
      twice: false,
      trace: false,
      json: false,
      shrink: true,
      mutants: undefined,
      help: false,
    });
  });

  it('say which seeds to run', () => {
    expect(parseOptions(['--seeds', '3', '--from', '40'], CORES).seeds).toEqual([40, 41, 42]);
    expect(parseOptions(['--seed', '7'], CORES)).toMatchObject({ seeds: [7], single: true });
  });

  it('say what a run is', () => {
    const flags = '--hours 0.5 --engines 2 --shape apart --precision 1s --horizon none --faults crash=0.01 --jobs 3';
    expect(parseOptions([...flags.split(' '), '--workload', 'keys'], CORES)).toMatchObject({
      workload: 'keys',
      jobs: 3,
      choices: {
        hours: 0.5,
        engines: 2,
        shape: 'apart',
        precisionMs: 1000,
        horizonMs: Infinity,
        faults: { crash: 0.01 },
      },
    });
  });

  it('say how it is shown', () => {
    const flags = ['--seed', '7', '--trace', '--json', '--twice', '--no-shrink', '--workers', '9', '--help'];
    expect(parseOptions(flags, CORES)).toMatchObject({
      trace: true,
      json: true,
      twice: true,
      shrink: false,
      workers: 9,
      help: true,
    });
  });

  it('hand on to the planted bugs what was asked for, and nothing else', () => {
    expect(parseOptions(['--mutants'], CORES).mutants).toEqual({ json: false, workers: CORES });
    const [one, other] = MUTANTS.map(({ name }) => name);
    const flags = ['--mutants', '--seeds', '5', '--hours', '2', '--only', `${one},${other}`, '--json'];
    expect(parseOptions(flags, CORES).mutants).toEqual({
      json: true,
      workers: CORES,
      seeds: 5,
      hours: 2,
      only: [one, other],
    });
  });

  it.each([
    [['--seeds', '0'], '--seeds 0 is not understood. It takes a whole number from 1 to'],
    [['--seed', '1', '--seeds', '2'], '--seed runs one seed, --seeds and --from run many.'],
    [['--seed', '1', '--from', '2'], '--seed runs one seed'],
    [['--trace'], '--trace prints the trace of one seed. Give it with --seed.'],
    [['--only', 'one'], '--only chooses among the planted bugs.'],
    [['--mutants', '--only', 'ack-on-bussy'], "--only: no planted bug is called 'ack-on-bussy'."],
    [['--mutants', '--only='], "--only: no planted bug is called ''."],
    [
      ['--mutants', '--seed', '4'],
      '--seed says nothing to the planted bugs. With --mutants there are --only, --seeds,',
    ],
    [['--mutants', '--faults', 'none'], '--faults says nothing to the planted bugs.'],
    [['--mutants', '--trace'], '--trace says nothing to the planted bugs.'],
    [['--workers', 'all'], '--workers all is not understood. It takes a whole number from 1 to 256.'],
    [['--workload', 'heavy'], '--workload heavy is not understood. It takes one of mixed, '],
    [['--hour', '1'], "Unknown option '--hour'. See --help."],
    [['7'], "Unexpected argument '7'"],
  ])('refuse %j', (args, message) => {
    expect(() => parseOptions(args, CORES)).toThrow(message);
  });

  it('are all explained, with every class of faults', () => {
    const flags = [...USAGE.matchAll(/--[a-z][a-z-]*/g)].map(([flag]) => flag);
    expect(flags).toContain('--faults');
    for (const flag of new Set(flags)) expect(manual).toMatch(new RegExp(`\\| .*\`${flag}\\b`));
    for (const name of FAULT_NAMES) {
      expect(USAGE).toMatch(new RegExp(`Faults: [^]*\\b${name}[,.]`));
      expect(manual).toContain(`| \`${name}\` |`);
    }
  });
});
