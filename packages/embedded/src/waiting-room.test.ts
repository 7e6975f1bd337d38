// What a look at the store may claim to have seen (W1). The other process knows only lmdb.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@carillon/core/spi';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Store } from './store.js';

const PROBE = 'probe';
const commitProbe = `
  import { open } from 'lmdb';
  const [folder, key] = process.argv.slice(1);
  const binary = { encoding: 'binary', keyEncoding: 'binary' };
  const root = open({ path: folder, noSubdir: false, overlappingSync: false, maxDbs: 16, ...binary });
  root.openDB('meta', binary).putSync(Buffer.from(key), Buffer.from('value'));
  await root.close();
`;

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'carillon-waiting-'))));
afterEach(() => rmSync(folder, { recursive: true }));

it('W1: a look has seen the transaction that it names, even if another process commits in the middle of it', async () => {
  const store = await Store.enter(folder, systemClock);
  const meta = store.environment.table('meta');
  const lastTransaction = store.environment.lastTransaction.bind(store.environment);
  store.environment.lastTransaction = () => {
    const program = ['--input-type=module', '-e', commitProbe, folder, PROBE];
    execFileSync(process.execPath, program, { cwd: import.meta.dirname });
    return lastTransaction();
  };
  const seen = store.lookToWait();
  expect(seen).toBe(lastTransaction());
  expect(meta.getBinary(Buffer.from(PROBE))?.toString()).toBe('value');
  await store.leave();
});
