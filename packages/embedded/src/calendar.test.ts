import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ledger, RecordContent, Write } from '@carillon/core/spi';
import { VirtualClock, seededRandom } from '@carillon/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { embedded, embeddedLedger } from './embedded.js';
import { Environment } from './environment.js';

const DAY_MS = 24 * 3_600_000;
const EVERYTHING = { start: Buffer.from([0]), end: Buffer.alloc(8, 255) };

let folder = '';
let clock = new VirtualClock();
let nonces = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-calendar-'));
  clock = new VirtualClock();
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function content(wakeAt: number | undefined): RecordContent {
  const state = wakeAt === undefined ? 'done' : 'scheduled';
  const rest = { expiresAt: undefined, durableGrant: false, body: '{}', outbox: [] };
  return { generation: 1, queue: 'default', task: 'task', state, dueAt: wakeAt ?? 0, wakeAt, ...rest };
}

function put(id: string, wakeAt: number | undefined): Write {
  return { do: 'put', key: { kind: 'job', id, partition: id }, expect: { any: true }, content: content(wakeAt) };
}

async function commit(ledger: Ledger, writes: readonly Write[]): Promise<void> {
  const changes = writes.map((write) => ({ nonce: `n${(nonces += 1)}`, durable: false, writes: [write] }));
  for (const answer of await ledger.commit(changes)) expect(answer).toEqual({ answer: 'ok' });
}

async function entries(): Promise<Record<string, number>> {
  const environment = new Environment(folder);
  const count = (name: string): number => [...environment.table(name).getKeys({ ...EVERYTHING })].length;
  const leases = [...environment.table('leases').getRange({ ...EVERYTHING })].filter(
    ({ value }) => value.readUInt16BE(0) !== 0,
  );
  const counts = { waiting: count('waiting'), days: count('days'), months: count('months'), leases: leases.length };
  await environment.close();
  return counts;
}

test('K1, K3: what is far off is received at its millisecond, moved or settled as it was meanwhile', async () => {
  const random = seededRandom(7);
  const backend = embedded(folder, { clock });
  await backend.ledger.open();
  await backend.transport.open();
  const due = new Map<string, number>();
  const far = (): number => clock.now() + Math.floor(random.next() * 150 * DAY_MS);
  const stop = new AbortController();
  const late: string[] = [];
  const receiving = (async () => {
    while (!stop.signal.aborted) {
      const request = { queue: 'default', max: 50, leaseMs: 60_000, holder: 'w', signal: stop.signal };
      for (const { granted } of await backend.transport.receive(request)) {
        const { id } = granted!.record.key;
        if (granted!.at !== due.get(id)) late.push(`${id}: ${granted!.at} instead of ${due.get(id)}`);
        due.delete(id);
        await commit(backend.ledger, [put(id, undefined)]);
      }
    }
  })();
  for (let i = 0; i < 900; i += 1) due.set(`job-${i}`, far());
  await commit(
    backend.ledger,
    [...due].map(([id, at]) => put(id, at)),
  );
  for (let round = 0; round < 20; round += 1) {
    const writes: Write[] = [];
    for (const id of [...due.keys()].filter(() => random.next() < 0.05)) {
      const at = random.next() < 0.3 ? undefined : far();
      if (at === undefined) due.delete(id);
      else due.set(id, at);
      writes.push(put(id, at));
    }
    await commit(backend.ledger, writes);
    await clock.advance(10 * DAY_MS);
  }
  await clock.advance(160 * DAY_MS);
  expect(late).toEqual([]);
  expect(due.size).toBe(0);
  stop.abort();
  await receiving;
  await backend.transport.close();
  await backend.ledger.close();
  expect(await entries()).toEqual({ waiting: 0, days: 0, months: 0, leases: 0 });
}, 60_000);

test('K1: a store that was closed for months brings everything forward, in order, when it is opened', async () => {
  const first = embeddedLedger(folder, { clock });
  const start = clock.now();
  await commit(
    first,
    Array.from({ length: 3000 }, (_, i) => put(`job-${String(i).padStart(4, '0')}`, start + i * (DAY_MS / 10))),
  );
  await first.close();
  expect(await entries()).toMatchObject({ leases: 0, days: expect.toSatisfy((n: number) => n > 0) });
  await clock.advance(400 * DAY_MS);
  const backend = embedded(folder, { clock });
  const got: string[] = [];
  const { signal } = new AbortController();
  const request = { queue: 'default', max: 500, leaseMs: 1e9, holder: 'w', signal };
  while (got.length < 3000) {
    for (const { granted } of await backend.transport.receive(request)) got.push(granted!.record.key.id);
  }
  expect(got).toEqual(got.toSorted());
  await backend.transport.close();
  expect(await entries()).toEqual({ waiting: 0, days: 0, months: 0, leases: 3000 });
});

test('lists and dues what is in the calendar', async () => {
  const ledger = embeddedLedger(folder, { clock });
  const start = clock.now();
  await commit(
    ledger,
    Array.from({ length: 300 }, (_, i) => put(`job-${i}`, start + ((i * 37) % 300) * DAY_MS)),
  );
  const listed = await ledger.list({ kind: 'job', states: ['scheduled'], limit: 1000 });
  expect(listed.records).toHaveLength(300);
  const wakes: (number | undefined)[] = [];
  let cursor: string | undefined;
  do {
    const query = { queues: ['default'], before: start + 199 * DAY_MS, limit: 30 };
    const page = await ledger.due(cursor === undefined ? query : { ...query, cursor });
    wakes.push(...page.records.map(({ wakeAt }) => wakeAt));
    cursor = page.cursor;
  } while (cursor !== undefined);
  expect(wakes).toEqual(Array.from({ length: 200 }, (_, i) => start + i * DAY_MS));
  await ledger.close();
});
