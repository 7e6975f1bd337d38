import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ledger, RecordKey } from '@carillon/core/spi';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { embeddedLedger } from './embedded.js';
import { Environment } from './environment.js';
import { networkOf } from './folder.js';

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-folder-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const jobKey = (id: string): RecordKey => ({ kind: 'job', id, partition: id });

async function place(ledger: Ledger, id: string): Promise<void> {
  const content = {
    generation: 1,
    queue: 'default',
    task: 'send-mail',
    state: 'scheduled',
    dueAt: 1000,
    wakeAt: 1000,
    expiresAt: undefined,
    durableGrant: false,
    body: '{}',
    outbox: [],
  };
  const [answer] = await ledger.commit([
    { nonce: id, durable: true, writes: [{ do: 'put', key: jobKey(id), expect: { absent: true }, content }] },
  ]);
  expect(answer).toEqual({ answer: 'ok' });
}

async function fill(jobs: number): Promise<void> {
  const ledger = embeddedLedger(folder);
  await ledger.open();
  for (let i = 0; i < jobs; i += 1) await place(ledger, `job-${i}`);
  await ledger.close();
}

const open = (path = folder): Promise<void> => embeddedLedger(path).open();

test('makes the folder, with all folders above it', async () => {
  const ledger = embeddedLedger(join(folder, 'a', 'b.d'));
  await ledger.open();
  await ledger.close();
  expect(statSync(join(folder, 'a', 'b.d', 'data.mdb')).isFile()).toBe(true);
});

test('refuses a path that is a file, or that cannot be made', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(open(join(folder, 'file'))).rejects.toMatchObject({ code: 'E_STORE_FOLDER' });
  await expect(open(join(folder, 'file', 'below'))).rejects.toMatchObject({ code: 'E_STORE_FOLDER' });
});

test('refuses a folder that may not be written', async ({ skip }) => {
  const locked = join(folder, 'locked');
  mkdirSync(locked);
  if (process.getuid?.() === 0) {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', locked], { stdio: 'ignore' });
    } catch {
      skip('root may write everywhere, and cannot mount here');
    }
    try {
      await expect(open(locked)).rejects.toMatchObject({ code: 'E_STORE_FOLDER' });
    } finally {
      execFileSync('umount', [locked]);
    }
    return;
  }
  execFileSync('chmod', ['500', locked]);
  await expect(open(locked)).rejects.toMatchObject({ code: 'E_STORE_FOLDER' });
});

test('refuses a truncated file, however short, and opens it again when it is whole', async () => {
  await fill(200);
  const path = join(folder, 'data.mdb');
  const whole = statSync(path).size;
  for (const size of [Math.floor(whole / 2), 8192, 5000, 100, 0]) {
    const copy = mkdtempSync(join(folder, 'copy-'));
    execFileSync('cp', [path, join(folder, 'carillon.json'), copy]);
    truncateSync(join(copy, 'data.mdb'), size);
    await expect(open(copy), `${size} of ${whole} bytes`).rejects.toMatchObject({ code: 'E_STORE_DAMAGED' });
  }
  const ledger = embeddedLedger(folder);
  expect(await ledger.read([jobKey('job-199')])).toMatchObject([{ version: 1 }]);
  await ledger.close();
});

test('loses nothing, whatever is cut off: what lacks only free pages opens whole', async () => {
  await fill(200);
  const path = join(folder, 'data.mdb');
  const whole = statSync(path).size;
  const outcomes = { opened: 0, refused: 0 };
  for (let size = whole - 4096; size > whole / 2; size -= 4096) {
    const copy = mkdtempSync(join(folder, 'copy-'));
    execFileSync('cp', [path, join(folder, 'carillon.json'), copy]);
    truncateSync(join(copy, 'data.mdb'), size);
    const ledger = embeddedLedger(copy);
    const opened = await ledger.open().then(
      () => true,
      (error: { code?: string }) => expect(error.code).toBe('E_STORE_DAMAGED'),
    );
    outcomes[opened === true ? 'opened' : 'refused'] += 1;
    if (opened !== true) continue;
    expect((await ledger.list({ kind: 'job', limit: 1000 })).records).toHaveLength(200);
    expect(await place(ledger, 'more')).toBeUndefined();
    await ledger.close();
  }
  expect(outcomes.opened).toBeGreaterThan(0);
  expect(outcomes.refused).toBeGreaterThan(0);
});

test('refuses garbage, and a store whose file is gone', async () => {
  writeFileSync(join(folder, 'data.mdb'), Buffer.alloc(100_000, 'x'));
  await expect(open()).rejects.toMatchObject({ code: 'E_STORE_DAMAGED' });
  rmSync(join(folder, 'data.mdb'));
  await fill(1);
  unlinkSync(join(folder, 'data.mdb'));
  await expect(open()).rejects.toMatchObject({ code: 'E_STORE_DAMAGED' });
});

test('refuses a store of a newer version, by its marker and by what it says itself', async () => {
  await fill(1);
  const environment = new Environment(folder);
  const meta = environment.table('meta');
  environment.transact(() => {
    meta.put(Buffer.from('format'), Buffer.from('2'));
  }, true);
  await environment.close();
  await expect(open()).rejects.toMatchObject({ code: 'E_STORE_VERSION' });
  writeFileSync(join(folder, 'carillon.json'), '{"store":"carillon","format":99}');
  await expect(open()).rejects.toMatchObject({ code: 'E_STORE_VERSION', message: expect.stringContaining('99') });
});

test.each<[string, number, string | undefined]>([
  ['NFS', 0x6969, 'NFS'],
  ['SMB 2', 0xfe534d42, 'SMB'],
  ['SMB 2, where the number is negative', 0xfe534d42 - 2 ** 32, 'SMB'],
  ['ext4', 0xef53, undefined],
  ['tmpfs', 0x01021994, undefined],
])('a folder on %s is told by its type', (_, type, name) => {
  expect(networkOf(type)).toBe(name);
});
