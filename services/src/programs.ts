// Programs: where the servers' programs are, and what installs a missing one.
//
// P1  Nothing is installed unless the caller asks for it and this process is root.

import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { canInstall, installPackages } from './debian-packages.js';

const POSTGRES_HOME = '/usr/lib/postgresql'; // Debian: one folder per major version, none of them on the PATH

/** The Debian package that brings a program. */
const packages = {
  'redis-server': 'redis-server',
  'valkey-server': 'valkey-server', // Debian 12 has it in its backports
  initdb: 'postgresql',
  postgres: 'postgresql',
  java: 'default-jre-headless',
  mvn: 'maven',
} as const;

/** A program that a server needs. */
export type Program = keyof typeof packages;

/** Looks on the PATH, then in the newest PostgreSQL that Debian installed. */
export function findProgram(program: Program): string | undefined {
  const versions = existsSync(POSTGRES_HOME) ? readdirSync(POSTGRES_HOME) : [];
  const newestFirst = versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(POSTGRES_HOME, version, 'bin'));
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', ...newestFirst];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** Finds programs; throws with the command that installs what is missing, unless `install` is set: then it runs it (P1). */
export function findPrograms<P extends Program>(
  wanted: readonly P[],
  options: { readonly install?: boolean | undefined } = {},
): Record<P, string> {
  if (options.install && canInstall() && missingPackages(wanted).length > 0) installPackages(missingPackages(wanted));
  const missing = missingPackages(wanted);
  if (missing.length > 0) {
    const lacking = wanted.filter((program) => findProgram(program) === undefined);
    throw new Error(
      `This machine lacks ${lacking.join(' and ')}. On Debian or Ubuntu, as root: apt-get update && ` +
        `apt-get install -y --no-install-recommends ${missing.join(' ')} (or let ./script/services install do it).`,
    );
  }
  return Object.fromEntries(wanted.map((program) => [program, findProgram(program)!])) as Record<P, string>;
}

function missingPackages(wanted: readonly Program[]): string[] {
  const missing = wanted.filter((program) => findProgram(program) === undefined);
  return [...new Set(missing.map((program) => packages[program]))];
}
