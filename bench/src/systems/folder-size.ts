// How much disk a folder really occupies.

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Allocated bytes of all files below `folder`; holes of sparse files do not count. */
export function folderSize(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, stat) => sum + stat.blocks * 512, 0);
}
