// A shop's history, replayed through crashes: nothing lost, nothing twice, nothing early. Flags: see options.ts.
//
// D1  Nothing is left behind, however the demo ends: no process, and no folder unless --keep asks for it.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isClean, judge } from './judge.js';
import { type Options, OptionsError, parseOptions, USAGE } from './options.js';
import { ProcessEnded, Processes } from './processes.js';
import { progressOn } from './progress.js';
import { PurchasesError } from './purchases.js';
import { replay } from './replay.js';
import { report, table } from './report.js';

const FAILED = 1;
const MISUSED = 2;

async function demo({ keep, json, ...options }: Options): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-shop-'));
  const processes = new Processes();
  process.once('exit', () => {
    processes.killAll();
    if (keep) console.error(`Kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }); // servers are still ending
  }); // D1
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.once(signal, () => process.exit(status));
  }

  const replaying = replay({ ...options, folder }, processes, progressOn(process.stderr));
  const replayed = await Promise.race([replaying, processes.failure]);
  const verdict = judge(replayed.evidence);
  const outcome = report(verdict, replayed);
  console.log(json ? JSON.stringify(outcome) : table(outcome));
  return isClean(verdict);
}

/** The status to exit with. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options.help) console.log(USAGE);
    else if (!(await demo(options))) return FAILED;
    return 0;
  } catch (error) {
    if (error instanceof OptionsError) console.error(`${error.message}\n\n${USAGE}`);
    else if (error instanceof PurchasesError) console.error(error.message);
    else {
      console.error(error instanceof ProcessEnded ? error.message : error);
      return FAILED;
    }
    return MISUSED;
  }
}

process.exit(await main(process.argv.slice(2)));
