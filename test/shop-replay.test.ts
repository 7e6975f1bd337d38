// The demo as its users run it, at 5 ms a day: with whole histories of every tenth customer, and with one purchase and a
// forger beside it.

import { execFile, type PromiseWithChild } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
let folder: string;

beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'shop-replay-'))));
afterEach(() => rm(folder, { recursive: true }));

function demo(...flags: string[]): PromiseWithChild<{ stdout: string; stderr: string }> {
  const env = { ...process.env, TMPDIR: folder };
  return promisify(execFile)(join(root, 'script', 'example'), ['shop-replay', ...flags], { env });
}

it('replays a history through three kills: nothing lost, nothing twice, nothing early', async () => {
  const history = await readFile(join(root, 'examples', 'shop-replay', 'data', 'purchases.csv'), 'utf8');
  const [header, ...rows] = history.trim().split('\n');
  const some = rows.filter((row) => row.split(',')[1]?.endsWith('0'));
  const input = join(folder, 'purchases.csv');
  await writeFile(input, [header, ...some, ''].join('\n'));

  const { stdout, stderr } = await demo('--input', input, '--day', '5ms', '--json');
  const report = JSON.parse(stdout) as Record<string, number>;
  expect(report).toMatchObject({ lost: 0, twice: 0, early: 0, contradictions: 0, restarts: 3, findings: [] });
  expect(report).toMatchObject({ purchases: some.length, reviews: some.length });
  expect(Number(report['winBacks']) + Number(report['replaced'])).toBe(some.length);
  expect(report['absorbedRepeats']).toBeGreaterThan(0); // a second attempt really happened
  expect(stderr).toMatch(/SIGKILL to worker-1\.1, while worker-1\.1 waited for the answer to \S+, which was accepted/);
  expect(stderr).toMatch(/^100 %/m);
  expect(await readdir(folder)).toEqual(['purchases.csv']); // it leaves nothing behind
});

it('exits with status 1 where a mail went out twice, and one for no purchase', async () => {
  const input = join(folder, 'purchases.csv');
  await writeFile(input, 'date,customer,quantity,amount\n1997-01-01,ann,1,10.00\n');
  const running = demo('--input', input, '--day', '5ms', '--json');

  let shown = '';
  const begun = async (): Promise<void> => {
    while (!shown.includes(' %  ')) shown += String((await once(running.child.stderr!, 'data'))[0]);
  };
  await Promise.race([begun(), running]);
  const replay = (await readdir(folder)).find((name) => name.startsWith('carillon-shop-'));
  const forged = [1, 2].map((row) =>
    JSON.stringify({ kind: 'review', row, worker: 'forger', attempt: 1, at: Date.now() + 1_000, absorbed: false }),
  );
  await appendFile(join(folder, replay!, 'effects.jsonl'), `${forged.join('\n')}\n`);

  const { code, stdout } = (await running.catch((error: unknown) => error)) as { code?: number; stdout: string };
  expect(JSON.parse(stdout)).toMatchObject({ lost: 0, twice: 1, early: 0, contradictions: 1 });
  expect(code).toBe(1);
});

it.each([
  [['--day', 'long'], '--day long: write a number'],
  [['--input', 'nowhere.csv'], 'nowhere.csv: ENOENT'],
  [['--input', join(root, 'package.json')], 'package.json: Line 1: missing column date'],
])('refuses %j', async (flags, message) => {
  await expect(demo(...flags)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
});
