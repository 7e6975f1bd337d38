// Folder: refuses a folder that cannot hold a store, before LMDB maps a file that would kill the process.
//
// F1  What is wrong is told with a code and a next step, and nothing in the folder is changed by looking.
// F2  The marker appears whole or not at all: another process may open the folder in the same moment.

import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { CarillonError } from '@carillon/core/spi';
import type { ErrorCode } from '@carillon/core/spi';
import { DATA_FILE, whatIsWrong } from './data-file.js';

/** The format of a store that this version writes, and the newest that it reads. */
export const FORMAT = 1;

const MARKER = 'carillon.json';
const NETWORK = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x01021997, '9P'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x00c36400, 'CephFS'],
  [0x564c, 'NCP'],
  [0x47504653, 'GPFS'],
  [0x0bd00bd0, 'Lustre'],
]);

/** Makes the folder if there is none, verifies that it can hold a store, and answers with its real path. */
export function prepareFolder(folder: string): string {
  const path = resolve(folder);
  try {
    mkdirSync(path, { recursive: true });
    if (!statSync(path).isDirectory()) throw new Error('It is not a folder.');
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    if (existsSync(join(path, DATA_FILE))) accessSync(join(path, DATA_FILE), constants.R_OK | constants.W_OK);
  } catch (cause) {
    throw refused('E_STORE_FOLDER', `The folder ${path} cannot be used for a store.`, {
      next: 'Name a folder that this process may create, read and write.',
      cause,
    });
  }
  refuseNetwork(path);
  const real = realpathSync(path);
  refuseNewer(real);
  refuseDamaged(real);
  return real;
}

/** Notes beside a store that it exists and which format it has. */
export function markFolder(folder: string): void {
  const marker = join(folder, MARKER);
  if (existsSync(marker)) return;
  const own = `${marker}.${process.pid}`;
  writeFileSync(own, `${JSON.stringify({ store: 'carillon', format: FORMAT })}\n`);
  renameSync(own, marker); // F2
}

/** Throws `E_STORE_VERSION` if the store says that it has a newer format. */
export function refuseNewerFormat(folder: string, format: number): void {
  if (format <= FORMAT) return;
  throw refused('E_STORE_VERSION', `The store in ${folder} has the format ${format}; this version reads ${FORMAT}.`, {
    next: 'Start the newer version of Carillon that wrote it, or use another folder.',
  });
}

/** The network file system that a type number of `statfs` stands for; undefined for a local one, and for FUSE, which may be
 *  either. */
export function networkOf(type: number): string | undefined {
  return NETWORK.get(Number(BigInt.asUintN(32, BigInt(type)))); // some platforms give it as a negative number
}

function refuseNetwork(path: string): void {
  const name = networkOf(statfsSync(path).type);
  if (name === undefined) return;
  throw refused('E_STORE_FOLDER', `The folder ${path} is on a network file system (${name}).`, {
    next: 'Use a folder on a local disk: locks and memory maps do not hold between machines.',
  });
}

function refuseNewer(folder: string): void {
  const marker = join(folder, MARKER);
  if (!existsSync(marker)) return;
  let format: unknown;
  try {
    ({ format } = JSON.parse(readFileSync(marker, 'utf8')) as { format?: unknown });
  } catch (cause) {
    throw refused('E_STORE_DAMAGED', `The file ${marker} cannot be read.`, { next: 'Restore the folder.', cause });
  }
  refuseNewerFormat(folder, Number(format));
}

function refuseDamaged(folder: string): void {
  const used = existsSync(join(folder, MARKER));
  if (!existsSync(join(folder, DATA_FILE))) {
    if (used) throw damaged(folder, 'its data file is missing');
    return;
  }
  const wrong = whatIsWrong(folder);
  if (wrong === undefined) return;
  if (wrong === 'empty' && !used) return; // made by a process that died in the same moment
  throw damaged(folder, wrong === 'foreign' ? 'its data file is not a store' : 'its data file is truncated');
}

function damaged(folder: string, how: string): CarillonError {
  return refused('E_STORE_DAMAGED', `The store in ${folder} is damaged: ${how}.`, {
    next: 'Restore the folder from a backup, or move it away to start empty.',
  });
}

function refused(code: ErrorCode, what: string, details: { next: string; cause?: unknown }): CarillonError {
  return new CarillonError(code, what, details);
}
