// script/services: starts, stops and shows the servers that tests and examples need. Flags: see options.ts.
//
// C1  An interrupted start leaves nothing running that is not remembered.

import { relative } from 'node:path';
import { findPrograms } from '../programs.js';
import { rocketmqJars } from '../rocketmq-jars.js';
import { catalog } from './catalog.js';
import type { Environment, ServiceName } from './catalog.js';
import { OptionsError, parseOptions, USAGE } from './options.js';
import type { Options } from './options.js';
import { StartedServices } from './started-services.js';

const FAILED = 1;
const MISUSED = 2;

const services = new StartedServices();

/** What is told of each service. */
interface Line {
  readonly name: ServiceName;
  readonly state: 'started' | 'running' | 'unwell' | 'stopped' | 'installed' | 'failed';
  readonly environment: Environment;
  readonly folder?: string;
  readonly error?: string;
}

const perform: Record<Options['verb'], (name: ServiceName, options: Options) => Promise<Line>> = {
  async start(name, { port, install }) {
    const progress = progressOf(name);
    const began = performance.now();
    const { service, already } = await services.start(name, port, { install, progress });
    if (!already) progress(`answers after ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return { name, state: already ? 'running' : 'started', ...placeOf(name), environment: service.environment };
  },
  async install(name) {
    findPrograms(catalog[name].programs, { install: true });
    if (name === 'rocketmq') await rocketmqJars({ progress: progressOf(name) });
    return { name, state: 'installed', environment: {} };
  },
  async stop(name) {
    await services.stop(name);
    return { name, state: 'stopped', environment: {} };
  },
  async status(name) {
    return { name, state: await services.condition(name), environment: {}, ...placeOf(name) };
  },
};

const good: Record<Options['verb'], readonly Line['state'][]> = {
  start: ['started', 'running'],
  stop: ['stopped'],
  status: ['running'],
  install: ['installed'],
};

function progressOf(name: ServiceName): (line: string) => void {
  return (line) => console.error(`${name}: ${line}`);
}

/** Does what is asked; what fails is a line too, so that the other services get theirs. */
async function attempt(name: ServiceName, options: Options): Promise<Line> {
  try {
    return await perform[options.verb](name, options);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    progressOf(name)(message);
    return { name, state: 'failed', environment: {}, error: message };
  }
}

function placeOf(name: ServiceName): Partial<Line> {
  const service = services.find(name);
  return service ? { environment: service.environment, folder: relative('', service.folder) } : {};
}

function told({ name, state, environment, folder }: Line): string {
  const variables = Object.entries(environment).map(([variable, value]) => `${variable}=${value}`);
  const logs = folder === undefined ? [] : [`logs below ${folder}`];
  return [name.padEnd(15), state.padEnd(8), ...variables, ...logs].join('  ').trimEnd();
}

/** The status to exit with. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, Boolean(process.env['CI']));
    if (options === 'help') {
      console.log(USAGE);
      return 0;
    }
    const lines: Line[] = [];
    for (const name of options.names) lines.push(await attempt(name, options));
    console.log(options.json ? JSON.stringify(lines) : lines.map(told).join('\n'));
    return lines.every(({ state }) => good[options.verb].includes(state)) ? 0 : FAILED;
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    return MISUSED;
  }
}

// What was started and is not remembered yet ends in an 'exit' handler (C1).
for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.once(signal, () => process.exit(status));
}
process.exit(await main(process.argv.slice(2)));
