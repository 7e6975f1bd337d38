// npm run simulate -- [flags]: the real engine through years of faults in minutes. Flags: see options.ts.

import { availableParallelism } from 'node:os';
import { CarillonError } from '@carillon/core/spi';
import { type Options, parseOptions, USAGE } from './options.js';
import { runMutants } from './mutants/mutants.js';
import { progressOn } from './progress.js';
import { jsonReport, plainReport } from './report.js';
import { Simulation } from './simulate.js';

const FAILED = 1;
const MISUSED = 2;

async function simulate(options: Options): Promise<number> {
  const report = (options.json ? jsonReport : plainReport)((line) => console.log(line));
  const simulation = new Simulation(options, report, progressOn(process.stderr, options.seeds.length));
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => {
      console.error(`stopped by ${signal}`);
      simulation.sumUp();
      process.exit(status); // its threads end with it
    });
  }
  const passed = await simulation.run();
  simulation.sumUp();
  return passed ? 0 : FAILED;
}

/** The status to exit with. */
async function main(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(args, availableParallelism());
  } catch (error) {
    if (!CarillonError.is(error) || error.code !== 'E_OPTIONS') throw error;
    console.error(`${error.message}\nAll flags: npm run simulate -- --help`);
    return MISUSED;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  return options.mutants === undefined ? simulate(options) : runMutants(options.mutants);
}

process.stdout.once('error', () => process.exit(FAILED)); // whoever read it has gone
process.exitCode = await main(process.argv.slice(2));
