// Requirement: whether a test finds the real server that it needs, and what to do if not.
//
// R1  A server that is missing is never passed over in silence: its tests are skipped and say why, or they fail if
//     `CARILLON_REQUIRE` names the server.
// R2  What the environment says comes before what script/services started.

import { existsSync } from 'node:fs';
import { catalog } from './command/catalog.js';
import type { Environment, ServiceName } from './command/catalog.js';
import { StartedServices } from './command/started-services.js';
import { findProgram } from './programs.js';
import type { Program } from './programs.js';
import { jarsFolder } from './rocketmq-jars.js';

/** What a test may need: a server that runs (`rocketmq`), or what it takes to start one of its own (`own rocketmq`). */
export type Need = ServiceName | `own ${ServiceName}`;

/** What was found: the variables that tell where the server is (none for one's own); or why it is missing. */
export type Finding =
  | { readonly found: true; readonly environment: Environment }
  | { readonly found: false; readonly reason: string; readonly required: boolean };

/** Where to look. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  readonly services: Pick<StartedServices, 'find'>;
  readonly hasProgram: (program: Program) => boolean;
}

const here: Surroundings = {
  environment: process.env,
  services: new StartedServices(),
  hasProgram: (program) => findProgram(program) !== undefined || (program === 'mvn' && existsSync(jarsFolder())),
};

/** Looks for what a test needs. */
export function find(need: Need, surroundings: Surroundings = here): Finding {
  const [, name] = need.startsWith('own ') ? need.split(' ') : [undefined, undefined];
  if (name !== undefined) {
    const missing = catalog[name as ServiceName].programs.filter((program) => !surroundings.hasProgram(program));
    if (missing.length === 0) return { found: true, environment: {} };
    return lack(name, `this machine lacks ${missing.join(' and ')}`, surroundings);
  }
  const service = need as ServiceName;
  const environment = fromEnvironment(service, surroundings) ?? surroundings.services.find(service)?.environment; // R2
  if (environment !== undefined) return { found: true, environment };
  const [variable] = catalog[service].variables;
  return lack(service, `start one with ./script/services start ${service}, or set ${variable}`, surroundings);
}

function fromEnvironment(name: ServiceName, { environment }: Surroundings): Environment | undefined {
  const { variables } = catalog[name];
  if (!environment[variables[0]]) return undefined;
  return Object.fromEntries(
    variables.flatMap((variable) => (environment[variable] ? [[variable, environment[variable]]] : [])),
  );
}

function lack(name: string, advice: string, { environment }: Surroundings): Finding {
  const required = (environment['CARILLON_REQUIRE'] ?? '').split(',').map((one) => one.trim());
  return { found: false, reason: `no ${name}: ${advice}`, required: required.includes(name) };
}
