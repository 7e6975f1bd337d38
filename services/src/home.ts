// Home: the folder that a server keeps its files in.

import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder and the way to get rid of it. */
export interface Home {
  readonly folder: string;
  /** Removes a folder that was made here; leaves one alone that was given. */
  remove(): void;
}

const temporary = new Set<string>();
process.once('exit', () => temporary.forEach(removeFolder));

/** Takes the given folder, or makes one that is gone with this process at the latest. */
export function home(name: string, given: string | undefined): Home {
  if (given !== undefined) {
    mkdirSync(given, { recursive: true });
    return { folder: given, remove() {} };
  }
  const folder = mkdtempSync(join(tmpdir(), `carillon-${name}-`));
  chmodSync(folder, 0o755); // a server that runs as another user must reach its files inside
  temporary.add(folder);
  return {
    folder,
    remove() {
      temporary.delete(folder);
      removeFolder(folder);
    },
  };
}

// Patient: at an abrupt exit the server is still ending.
function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}
