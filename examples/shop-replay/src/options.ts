// Options: the flags of the demo.

import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import type { Halves } from './servers.js';

/** What the flags say. */
export interface Options extends Halves {
  readonly input: string;
  readonly dayMs: number;
  readonly workers: number;
  readonly json: boolean;
  readonly keep: boolean;
  readonly help: boolean;
}

/** How the demo is called. */
export const USAGE = `Replays a shop's history: 18 months in 24 seconds, through crashes. Nothing lost, nothing twice.

Usage: ./script/demo [flags]

  --day TIME     how long a day of the replay is, such as 40ms (default) or 1s
  --input FILE   another history: CSV with the columns date,customer,quantity,amount, sorted by date
  --workers N    how many worker processes run the tasks (default 2)
  --transport T  what carries the messages: embedded (default) or rocketmq
  --ledger L     what keeps the records: embedded (default) or redis
  --json         print one JSON object instead of the table
  --keep         keep the folder with the store and the journals, and say where it is
  --help         print this

RocketMQ and Redis are started for the replay, killed once in the middle of it, and gone afterwards; what is missing,
./script/services install brings. Servers of your own are used, and not killed, if ROCKETMQ_ENDPOINT or REDIS_URL
name them; with ROCKETMQ_NAMESERVER the topic is created there too, and ROCKETMQ_ACCESS_KEY and ROCKETMQ_ACCESS_SECRET
say who you are to a broker with access control.

Exit status: 0 if all went well; 1 if anything was lost, twice, early, or contradicts an answer; 2 for wrong flags or input.`;

/** Says which flag is wrong, and what it should be. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

const HISTORY = fileURLToPath(new URL('../data/purchases.csv', import.meta.url));

/** Reads the flags; throws `OptionsError`. */
export function parseOptions(args: readonly string[]): Options {
  const { day, input, workers, transport, ledger, json, keep, help } = flags(args);
  return {
    input,
    dayMs: dayMs(day),
    workers: workerCount(workers),
    transport: oneOf('--transport', transport, ['embedded', 'rocketmq']),
    ledger: oneOf('--ledger', ledger, ['embedded', 'redis']),
    json,
    keep,
    help,
  };
}

function flags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        day: { type: 'string', default: '40ms' },
        input: { type: 'string', default: HISTORY },
        workers: { type: 'string', default: '2' },
        transport: { type: 'string', default: 'embedded' },
        ledger: { type: 'string', default: 'embedded' },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new OptionsError(error instanceof Error ? error.message : String(error));
  }
}

function dayMs(day: string): number {
  const [, amount, unit] = /^(\d{1,6})(ms|s)$/.exec(day) ?? [];
  const ms = Number(amount) * (unit === 's' ? 1000 : 1);
  if (ms >= 1) return ms;
  throw new OptionsError(`--day ${day}: write a number of at least 1 with its unit, such as 40ms or 1s.`);
}

function workerCount(workers: string): number {
  const count = Number(workers);
  if (Number.isInteger(count) && count >= 1 && count <= 64) return count;
  throw new OptionsError(`--workers ${workers}: write a whole number from 1 to 64.`);
}

function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  throw new OptionsError(`${flag} ${value}: write ${allowed.join(' or ')}.`);
}
