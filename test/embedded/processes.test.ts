import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RecordContent } from '@carillon/core/spi';
import { embedded, embeddedLedger } from '@carillon/embedded';
import { afterEach, beforeEach, expect, test } from 'vitest';

const PROGRAM = join(import.meta.dirname, '..', 'dist', 'embedded', 'store-process.js');

let folder = '';
let children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-processes-'));
});

afterEach(async () => {
  await Promise.all(children.map((child) => kill(child)));
  children = [];
  rmSync(folder, { recursive: true, force: true });
});

interface Worker {
  readonly child: ChildProcess;
  readonly lines: string[];
  /** Resolves when it has said so many lines. */
  said(count: number): Promise<void>;
}

function start(what: 'insert' | 'hold'): Worker {
  const child = spawn(process.execPath, [PROGRAM, folder, what], { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const lines: string[] = [];
  let waiting: { count: number; resolve: () => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const { count, resolve } of waiting) if (lines.length >= count) resolve();
    waiting = waiting.filter(({ count }) => lines.length < count);
  });
  const said = async (count: number): Promise<void> => {
    if (lines.length < count) await new Promise<void>((resolve) => void waiting.push({ count, resolve }));
  };
  return { child, lines, said };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'close');
  child.kill('SIGKILL');
  await ended;
}

async function place(count: number, prefix = 'job'): Promise<void> {
  const ledger = embeddedLedger(folder);
  const at = Date.now() - 1;
  const rest = { expiresAt: undefined, durableGrant: false, body: '{}', outbox: [] };
  const content: RecordContent = {
    generation: 1,
    queue: 'default',
    task: 't',
    state: 's',
    dueAt: at,
    wakeAt: at,
    ...rest,
  };
  const keys = Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
  await ledger.commit(
    keys.map((id) => ({
      nonce: id,
      durable: true,
      writes: [{ do: 'put', key: { kind: 'job', id, partition: id }, expect: { absent: true }, content }],
    })),
  );
  await ledger.close();
}

test('nothing that was answered is lost when processes are killed, wherever they were', async () => {
  const answered: string[] = [];
  for (let round = 0; round < 12; round += 1) {
    const workers = [start('insert'), start('insert')];
    await Promise.all(workers.map((worker) => worker.said(2 + round * 150)));
    await Promise.all(workers.map(({ child }) => kill(child)));
    for (const { lines } of workers) answered.push(...lines.filter((line) => /^[0-9a-z]{20}$/.test(line)));
  }
  const ledger = embeddedLedger(folder);
  await ledger.open();
  const records = await ledger.read(answered.map((id) => ({ kind: 'job', id, partition: id })));
  expect(answered.length).toBeGreaterThan(10_000);
  expect(records.filter((record) => record?.version !== 1)).toEqual([]);
  // and each is in its index: what a worker can receive is what there is to read
  const backend = embedded(folder);
  const { signal } = new AbortController();
  const received = new Set<string>();
  const request = { queue: 'default', max: 1000, leaseMs: 600_000, holder: 'judge', signal };
  while (answered.some((id) => !received.has(id))) {
    for (const { granted } of await backend.transport.receive(request)) received.add(granted!.record.key.id);
  }
  await backend.transport.close();
  await ledger.close();
});

test('the leases of a killed process end at once', async () => {
  await place(300);
  const first = start('hold');
  await first.said(301);
  const second = start('hold');
  await second.said(1);
  const killedAt = Date.now();
  await kill(first.child);
  await second.said(301);
  const held = second.lines.slice(1).map((line) => line.split(' '));
  expect(new Set(held.map(([id]) => id)).size).toBe(300);
  expect(held.every(([, , interruptions]) => interruptions === '1')).toBe(true);
  expect(Math.max(...held.map(([, at]) => Number(at))) - killedAt).toBeLessThan(2000);
});

test('a waiting process sees what another has filed within 50 ms, at the median of twenty', async () => {
  const worker = start('hold');
  await worker.said(1);
  const ledger = embeddedLedger(folder); // stays open, as a web process would have it
  await ledger.open();
  const delays: number[] = [];
  for (let i = 0; i < 20; i += 1) {
    await place(1, `wake-${i}`);
    const placedAt = Date.now();
    await worker.said(2 + i);
    delays.push(Number(worker.lines[1 + i]!.split(' ')[1]) - placedAt);
  }
  await ledger.close();
  const median = delays.toSorted((a, b) => a - b)[10]!;
  expect(median, `delays ${delays.join(', ')} ms`).toBeLessThanOrEqual(50);
});
