// Exits with 0 if node_modules holds exactly what package-lock.json asks for, with 1 if `npm ci` is due.
// npm writes what it installed into node_modules/.package-lock.json, last of all.

import { existsSync, readFileSync } from 'node:fs';

const installedLock = 'node_modules/.package-lock.json';

function packagesOf(lock) {
  return JSON.parse(readFileSync(lock, 'utf8')).packages;
}

function upToDate() {
  if (!existsSync(installedLock)) return false;
  const wanted = packagesOf('package-lock.json');
  const installed = packagesOf(installedLock);
  const missing = Object.entries(wanted).some(([path, { version, optional, peer }]) =>
    path === '' ? false : installed[path] === undefined ? !optional && !peer : installed[path].version !== version,
  );
  return !missing && Object.keys(installed).every((path) => wanted[path] !== undefined);
}

process.exitCode = upToDate() ? 0 : 1;
