// What keeps opening and committing apart (E3). The other process knows only lmdb and the name of the gate.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Environment } from './environment.js';

const HELD_MS = 300;
const PATIENCE_MS = 2_000;

const passGate = `
  import { open } from 'lmdb';
  import { writeFileSync } from 'node:fs';
  const [folder, heldMs] = process.argv.slice(1);
  process.stdout.write('waiting');
  const gate = open({ path: folder + '/gate.mdb', noSubdir: true, encoding: 'binary', overlappingSync: false });
  gate.transactionSync(() => {
    process.stdout.write(', inside');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(heldMs));
    writeFileSync(folder + '/passed', '');
  }, 3);
  process.exit();
`;
const nodeArguments = (heldMs: number): string[] => ['--input-type=module', '-e', passGate, folder, String(heldMs)];

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'carillon-environment-'))));
afterEach(() => rmSync(folder, { recursive: true }));

it('E3: nobody opens while another process is at the gate', async () => {
  const other = spawn(process.execPath, nodeArguments(HELD_MS), { cwd: import.meta.dirname });
  for (let said = ''; !said.endsWith('inside'); said += String((await once(other.stdout, 'data'))[0]));
  const environment = new Environment(folder);
  expect(existsSync(join(folder, 'passed'))).toBe(true);
  await environment.close();
});

it('E3: nobody commits but at the gate', async () => {
  const environment = new Environment(folder);
  const table = environment.table('table');
  const options = { cwd: import.meta.dirname, encoding: 'utf8', killSignal: 'SIGKILL' } as const;
  let meanwhile = '';
  environment.transact(() => {
    table.put(Buffer.from('key'), Buffer.from('value'));
    meanwhile = spawnSync(process.execPath, nodeArguments(0), { ...options, timeout: PATIENCE_MS }).stdout;
  }, true);
  expect(meanwhile).toBe('waiting');
  expect(spawnSync(process.execPath, nodeArguments(0), options).stdout).toBe('waiting, inside');
  expect(table.getBinary(Buffer.from('key'))?.toString()).toBe('value');
  await environment.close();
});

const read = `
  import { open } from 'lmdb';
  const store = open({ path: process.argv[1], noSubdir: false, maxDbs: 32, encoding: 'binary' });
  const reading = store.getKeys({})[Symbol.iterator]();
  reading.next();
  process.stdout.write('reading');
  setInterval(() => reading, 1_000);
`;

it('a reader that was killed is cleared, and only that one', async () => {
  const environment = new Environment(folder);
  environment.table('any');
  const [killed, living] = await Promise.all(
    [1, 2].map(async () => {
      const reader = spawn(process.execPath, ['--input-type=module', '-e', read, folder], { cwd: import.meta.dirname });
      for (let said = ''; said !== 'reading'; said += String((await once(reader.stdout, 'data'))[0]));
      return reader;
    }),
  );
  expect(environment.clearReaders()).toBe(0);
  killed!.kill('SIGKILL');
  await once(killed!, 'close');
  expect(environment.clearReaders()).toBe(1);
  expect(environment.clearReaders()).toBe(0);
  living!.kill('SIGKILL');
  await once(living!, 'close');
  await environment.close();
});
