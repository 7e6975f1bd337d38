// Options: the flags of the command.

import { parseArgs } from 'node:util';
import { serviceNames } from './catalog.js';
import type { ServiceName, WantedPort } from './catalog.js';

/** What is to be done. */
type Verb = 'start' | 'stop' | 'status' | 'install';

/** What the command line says. */
export interface Options {
  readonly verb: Verb;
  readonly names: readonly ServiceName[];
  readonly port: WantedPort;
  readonly install: boolean;
  readonly json: boolean;
}

/** How the command is called. */
export const USAGE = `Starts the real servers that tests and examples need, and stops what it started.

Usage: ./script/services start|stop|status|install [${serviceNames.join('] [')}]

Without names, start and install mean rocketmq and redis; stop and status mean all. What install does, start --install
does as well: it gets what is missing.

  --port N        the port of the one service that is named
  --usual-ports   the ports that servers are usually found at (6379, 5432, 8081, 9876, 10911); default: free ones
  --install       install missing programs from the system's packages (Debian, as root; in CI that is the default)
  --json          print JSON
  --help          print this

What was started already is left alone. State, files and logs are in .services, which git ignores; every start of a
service begins empty. Exit status: 0 if all that is named runs (after stop: is stopped), 1 if not, 2 for wrong flags.`;

/** Says what is wrong with the command line. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

const verbs: readonly string[] = ['start', 'stop', 'status', 'install'] satisfies Verb[];

/** Reads the command line; answers 'help' if that is asked for; throws `OptionsError`. */
export function parseOptions(args: readonly string[], ci: boolean): Options | 'help' {
  const { values, positionals } = parsed(args);
  if (values.help) return 'help';
  const [verb, ...given] = positionals;
  if (verb === undefined || !verbs.includes(verb)) throw new OptionsError(`Say one of ${verbs.join(', ')}.`);
  const unknown = given.find((name) => !(serviceNames as readonly string[]).includes(name));
  if (unknown !== undefined) throw new OptionsError(`No service '${unknown}'. Services: ${serviceNames.join(', ')}.`);
  const all = verb === 'start' || verb === 'install' ? (['rocketmq', 'redis'] as const) : serviceNames;
  const names = given.length > 0 ? serviceNames.filter((name) => given.includes(name)) : all;
  const port = wantedPort(values.port, values['usual-ports']);
  if (typeof port === 'number' && names.length !== 1) throw new OptionsError('--port: name exactly one service.');
  return { verb: verb as Verb, names, port, install: values.install || ci || verb === 'install', json: values.json };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        port: { type: 'string' },
        'usual-ports': { type: 'boolean', default: false },
        install: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    });
  } catch (error) {
    throw new OptionsError(error instanceof Error ? error.message : String(error));
  }
}

function wantedPort(port: string | undefined, usual: boolean): WantedPort {
  if (port === undefined) return usual ? 'usual' : 'free';
  if (usual) throw new OptionsError('Either --port or --usual-ports.');
  const number = Number(port);
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number;
  throw new OptionsError(`--port ${port}: write a number from 1 to 65535.`);
}
