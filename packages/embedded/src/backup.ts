// Backup: a copy of a store, made while others write. It is one moment of the store, and opens like any other.

import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { CarillonError, systemClock } from '@carillon/core/spi';
import { markFolder } from './folder.js';
import { Store } from './store.js';

/** Copies the store in `folder` to `target`, a folder that is empty or not there yet; leaves out free space.
 *  Throws `E_STORE_FOLDER` if either folder will not do. */
export async function backup(folder: string, target: string): Promise<void> {
  if (!existsSync(resolve(folder, 'data.mdb'))) throw refused(`There is no store in ${folder}.`, 'Name its folder.');
  const to = resolve(target);
  try {
    mkdirSync(to, { recursive: true });
  } catch (cause) {
    throw refused(`The folder ${to} cannot be made.`, 'Name a folder that this process may write.', cause);
  }
  if (readdirSync(to).length > 0) throw refused(`The folder ${to} is not empty.`, 'Name an empty or a new folder.');
  const store = await Store.enter(folder, systemClock);
  try {
    await store.environment.backup(to);
    markFolder(to);
  } finally {
    await store.leave();
  }
}

function refused(what: string, next: string, cause?: unknown): CarillonError {
  return new CarillonError('E_STORE_FOLDER', what, { next, cause });
}
