import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Journal, readJournal } from './journal.js';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'journal-'));
  path = join(folder, 'journal.jsonl');
});

afterEach(() => rm(folder, { recursive: true }));

it('keeps entries in their order, on disk when append resolves (L1, L2)', async () => {
  const journal = await Journal.open<number>(path);
  const appended = Array.from({ length: 500 }, (_, number) => journal.append(number));
  await appended[0];
  expect((await readFile(path, 'utf8')).startsWith('0\n')).toBe(true);
  await Promise.all(appended);
  await journal.append(500);
  expect(await readJournal<number>(path)).toEqual(Array.from({ length: 501 }, (_, number) => number));
});

it('goes on where an earlier journal ended', async () => {
  await (await Journal.open<string>(path)).append('before');
  await (await Journal.open<string>(path)).append('after');
  expect(await readJournal<string>(path)).toEqual(['before', 'after']);
});

it('leaves out a last line that is still being written', async () => {
  await (await Journal.open<object>(path)).append({ whole: true });
  await appendFile(path, '{"who');
  expect(await readJournal<object>(path)).toEqual([{ whole: true }]);
});
