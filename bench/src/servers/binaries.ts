// Finds the servers' programs, and says or does what is needed when one is missing.

import { execFileSync } from 'node:child_process';
import type { ExecFileSyncOptions } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where the programs of the peers' servers are. */
export interface Binaries {
  readonly redisServer: string;
  readonly initdb: string;
  readonly postgres: string;
}

const APT = '/usr/bin/apt-get';
const POSTGRES_HOME = '/usr/lib/postgresql'; // Debian: one folder per major version, none of them on the PATH

/** Which of the programs' Debian packages are missing. */
function missingPackages(): string[] {
  const missing: string[] = [];
  if (find('redis-server') === undefined) missing.push('redis-server');
  if (find('initdb') === undefined || find('postgres') === undefined) missing.push('postgresql');
  return missing;
}

/** Looks on the PATH, then in the newest PostgreSQL that Debian installed. */
function find(program: string): string | undefined {
  const versions = existsSync(POSTGRES_HOME) ? readdirSync(POSTGRES_HOME) : [];
  const newestFirst = versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(POSTGRES_HOME, version, 'bin'));
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', ...newestFirst];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function install(packages: readonly string[]): void {
  const options: ExecFileSyncOptions = {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  console.error(`installing ${packages.join(', ')}`);
  execFileSync(APT, ['update', '-qq'], options);
  execFileSync(APT, ['install', '-y', '-qq', '--no-install-recommends', ...packages], options);
}

/**
 * Finds every program. Throws with the command that installs what is missing, unless `install` is set and this process
 * is root: then it runs that command.
 */
export function findBinaries(options: { readonly install: boolean }): Binaries {
  const missing = missingPackages();
  if (missing.length > 0 && options.install && process.getuid?.() === 0) install(missing);
  const stillMissing = missingPackages();
  if (stillMissing.length > 0) {
    throw new Error(
      `The benchmark's peers need ${stillMissing.join(' and ')}, which this machine lacks. As root: ` +
        `apt-get update && apt-get install -y --no-install-recommends ${stillMissing.join(' ')} ` +
        '(or run the benchmark as root with --install).',
    );
  }
  return { redisServer: find('redis-server')!, initdb: find('initdb')!, postgres: find('postgres')! };
}
