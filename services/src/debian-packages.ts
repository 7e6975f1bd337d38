// DebianPackages: installs packages of the system's distribution.
//
// D1  A package that only the backports have comes from there for this one installation: no source is added for good.

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const APT = '/usr/bin/apt-get';
const SOURCES = '/etc/apt/sources.list';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Whether this process can install packages. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync(APT);
}

/** Installs packages; the lists of packages are fetched first. */
export function installPackages(names: readonly string[]): void {
  console.error(`installing ${names.join(', ')}`);
  apt(['update', '-qq']);
  const backported = names.filter((name) => !isKnown(name));
  const ordinary = names.filter((name) => isKnown(name));
  if (ordinary.length > 0) apt(['install', '-y', '-qq', '--no-install-recommends', ...ordinary]);
  if (backported.length > 0) installFromBackports(backported);
}

function installFromBackports(names: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-sources-'));
  const file = join(folder, 'sources.list');
  const suite = `${codename()}-backports`;
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  const own = existsSync(SOURCES) ? readFileSync(SOURCES, 'utf8') : '';
  try {
    writeFileSync(file, `${own}\ndeb ${signed}${repository()} ${suite} main\n`);
    const beside = ['-o', `Dir::Etc::sourcelist=${file}`]; // D1
    apt([...beside, 'update', '-qq']);
    apt([...beside, 'install', '-y', '-qq', '--no-install-recommends', '-t', suite, ...names]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function apt(args: readonly string[]): void {
  execFileSync(APT, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
}

/** Whether a package can be had without further sources. */
function isKnown(name: string): boolean {
  return ask('/usr/bin/apt-cache', ['policy', name]).includes('Candidate:');
}

/** Where this machine gets the packages of its release from. */
function repository(): string {
  const targets = ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages', `Codename: ${codename()}`];
  const [uri] = ask(APT, targets).split('\n');
  if (!uri) throw new Error('This machine names no source of Debian packages, so there are no backports either.');
  return uri;
}

function codename(): string {
  return /^VERSION_CODENAME=(\S+)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable';
}

function ask(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' });
}
