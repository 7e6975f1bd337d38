// The shop's history on real servers: workers, RocketMQ and Redis are each killed and started again, and the judge of the
// replay finds nothing lost, twice, early or contradictory (its status says so).

import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describeWith } from '@carillon/services/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shop-replay-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Replays the histories of every twentieth customer, on servers of its own. */
async function replay(...flags: string[]): Promise<Record<string, unknown>> {
  const history = readFileSync(join(root, 'examples', 'shop-replay', 'data', 'purchases.csv'), 'utf8');
  const [header, ...rows] = history.trim().split('\n');
  const input = join(folder, 'purchases.csv');
  writeFileSync(input, [header, ...rows.filter((row) => /^[^,]*,\d*[05]0,/.test(row)), ''].join('\n'));
  const { ROCKETMQ_ENDPOINT: _endpoint, REDIS_URL: _url, ...environment } = process.env; // those may not be killed
  const { stdout } = await promisify(execFile)(
    join(root, 'script', 'example'),
    ['shop-replay', '--input', input, '--json', ...flags],
    { env: { ...environment, TMPDIR: folder } },
  );
  return JSON.parse(stdout) as Record<string, unknown>;
}

const clean = { lost: 0, twice: 0, early: 0, contradictions: 0, restarts: 3, findings: [] };

// The soak runs it on the embedded ledger as well.
if (process.env.SOAK_SHOP !== undefined) {
  describeWith(['own rocketmq'], 'the shop on RocketMQ and the embedded ledger', () => {
    test('loses nothing and sends nothing twice', { timeout: 400_000 }, async () => {
      expect(await replay('--transport', 'rocketmq')).toMatchObject({ ...clean, serverRestarts: 1 });
    });
  });
}

describeWith(['own rocketmq', 'own redis'], 'the shop on RocketMQ and Redis', () => {
  test('loses nothing and sends nothing twice', { timeout: 400_000 }, async () => {
    expect(await replay('--transport', 'rocketmq', '--ledger', 'redis')).toMatchObject({ ...clean, serverRestarts: 2 });
  });
});
