import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend, ChangeAnswer, Delivery, Ledger, RecordContent, RecordKey } from '@carillon/core/spi';
import { VirtualClock } from '@carillon/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { backup } from './backup.js';
import { embedded, embeddedLedger, embeddedTransport } from './embedded.js';
import { Environment } from './environment.js';

const HOUR_MS = 3_600_000;

let folder = '';
let clock = new VirtualClock();
let nonces = 0;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-store-'));
  clock = new VirtualClock();
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const jobKey = (id: string): RecordKey => ({ kind: 'job', id, partition: id });

function content(fields: Partial<RecordContent> = {}): RecordContent {
  const dueAt = clock.now() - 1000;
  return {
    generation: 1,
    queue: 'default',
    task: 'send-mail',
    state: 'scheduled',
    dueAt,
    wakeAt: dueAt,
    expiresAt: undefined,
    durableGrant: false,
    body: '{"to":"ada"}',
    outbox: [],
    ...fields,
  };
}

async function place(ledger: Ledger, id: string, fields: Partial<RecordContent> = {}): Promise<ChangeAnswer> {
  const write = { do: 'put', key: jobKey(id), expect: { absent: true }, content: content(fields) } as const;
  const [answer] = await ledger.commit([{ nonce: `n${(nonces += 1)}`, durable: true, writes: [write] }]);
  return answer!;
}

async function openBackend(path = folder): Promise<Backend> {
  const backend = embedded(path, { clock });
  await backend.transport.open();
  await backend.ledger.open();
  return backend;
}

async function closeBackend({ transport, ledger }: Backend): Promise<void> {
  await transport.close();
  await ledger.close();
}

function receive(
  { transport }: Backend,
  fields: { max?: number; room?: ReadonlyMap<string, number> } = {},
): Promise<readonly Delivery[]> {
  const { signal } = new AbortController();
  return transport.receive({ queue: 'default', max: 10, leaseMs: 60_000, holder: 'worker', signal, ...fields });
}

const idsOf = (deliveries: readonly Delivery[]): (string | undefined)[] =>
  deliveries.map(({ granted }) => granted?.record.key.id);

describe('what is kept', () => {
  test('a store opens again with everything in it: text of any kind, leases, outbox', async () => {
    const first = await openBackend();
    const body = JSON.stringify({ text: 'Grüße, 世界 🌍'.repeat(2000) });
    const id = 'ключ-🔑';
    const message = { id: 'm1', queue: 'default', body: new Uint8Array([0, 255, 7]), deliverAt: clock.now() };
    await place(first.ledger, id, { body, outbox: [{ message, wakeAt: clock.now() + 5 }] });
    const [delivery] = await receive(first);
    const [before] = await first.ledger.read([jobKey(id)]);
    await closeBackend(first);
    const second = await openBackend();
    expect(await second.ledger.read([jobKey(id)])).toEqual([before]);
    expect(before).toMatchObject({
      key: jobKey(id),
      body,
      lease: { holder: 'worker' },
      fence: delivery?.granted?.fence,
    });
    await closeBackend(second);
  });

  test('names that another environment has added are read on', async () => {
    const ledger = embeddedLedger(folder, { clock });
    for (let i = 0; i < 300; i += 1) {
      await place(ledger, `job-${i}`, { queue: `queue-${i}`, task: `task-${i}`, state: `state-${i}` });
    }
    await ledger.close();
    const again = embeddedLedger(folder, { clock });
    const [record] = await again.read([jobKey('job-299')]);
    expect(record).toMatchObject({ queue: 'queue-299', task: 'task-299', state: 'state-299' });
    await again.close();
  });

  test('settled records go when their retention ends, without a call that asks for it', async () => {
    const backend = await openBackend();
    const changes = Array.from({ length: 2000 }, (_, i) => ({
      nonce: `s${i}`,
      durable: true,
      writes: [
        {
          do: 'put' as const,
          key: jobKey(`job-${i}`),
          expect: { absent: true as const },
          content: content({ state: 'done', wakeAt: undefined, expiresAt: clock.now() + HOUR_MS }),
        },
      ],
    }));
    await backend.ledger.commit(changes);
    await place(backend.ledger, 'open', { wakeAt: clock.now() + 10 * HOUR_MS });
    await clock.advance(2 * HOUR_MS);
    expect(await backend.ledger.read([jobKey('job-7')])).toEqual([undefined]);
    for (let i = 0; i < 20; i += 1) await place(backend.ledger, `later-${i}`, { wakeAt: clock.now() + HOUR_MS }); // batches
    await closeBackend(backend);
    const environment = new Environment(folder);
    const all = { start: Buffer.from([0]), end: Buffer.from([255, 255]) };
    expect([...environment.table('settled').getKeys(all)]).toHaveLength(0);
    expect([...environment.table('records').getKeys(all)]).toHaveLength(21);
    await environment.close();
  });
});

describe('closing', () => {
  test('ends what waits, answers what was asked for, and refuses what comes after', async () => {
    const backend = await openBackend();
    const waiting = receive(backend);
    const placed = place(backend.ledger, 'a', { wakeAt: clock.now() + HOUR_MS });
    await closeBackend(backend);
    expect(await waiting).toEqual([]);
    expect(await placed).toEqual({ answer: 'ok' });
    await expect(place(backend.ledger, 'b')).rejects.toMatchObject({ code: 'E_STOPPED' });
    await expect(receive(backend)).rejects.toMatchObject({ code: 'E_STOPPED' });
    await expect(backend.ledger.read([jobKey('a')])).rejects.toMatchObject({ code: 'E_STOPPED' });
    await backend.ledger.open();
    expect(await backend.ledger.read([jobKey('a')])).toMatchObject([{ version: 1 }]);
    await backend.ledger.close();
  });

  test('a folder that is closed and opened in the same moment opens when it is closed', async () => {
    const first = embeddedLedger(folder, { clock });
    await place(first, 'a');
    const closing = first.close();
    const second = embeddedLedger(folder, { clock });
    expect(await second.read([jobKey('a')])).toMatchObject([{ version: 1 }]);
    await closing;
    await second.close();
  });
});

describe('receiving', () => {
  test('a saturated task stays in its lane and starves nobody', async () => {
    const backend = await openBackend();
    for (let i = 0; i < 200; i += 1) await place(backend.ledger, `slow-${i}`, { task: 'slow' });
    for (let i = 0; i < 3; i += 1)
      await place(backend.ledger, `quick-${i}`, { task: 'quick', wakeAt: clock.now() - 1 });
    const deliveries = await receive(backend, { room: new Map([['slow', 2]]) });
    expect(idsOf(deliveries)).toEqual(['slow-0', 'slow-1', 'quick-0', 'quick-1', 'quick-2']);
    const none = receive(backend, { room: new Map([['slow', 0]]) });
    await clock.advance(1000);
    await place(backend.ledger, 'quick-9', { task: 'quick' });
    expect(idsOf(await none)).toEqual(['quick-9']);
    await closeBackend(backend);
  });

  test('merges lanes by attention time', async () => {
    const backend = await openBackend();
    for (let i = 0; i < 30; i += 1) await place(backend.ledger, `j${i}`, { task: `t${i % 3}`, wakeAt: 1_000_000 - i });
    const deliveries = await receive(backend, { max: 12 });
    expect(idsOf(deliveries)).toEqual(Array.from({ length: 12 }, (_, i) => `j${29 - i}`));
    await closeBackend(backend);
  });
});

describe('listing', () => {
  test('pages stay bounded, and together are complete', async () => {
    const ledger = embeddedLedger(folder, { clock });
    const states = ['scheduled', 'retrying', 'done', 'dead'];
    const changes = Array.from({ length: 3000 }, (_, i) => ({
      nonce: `l${i}`,
      durable: false,
      writes: [
        {
          do: 'put' as const,
          key: jobKey(`job-${String(i).padStart(5, '0')}`),
          expect: { any: true as const },
          content: content({
            state: states[i % 4]!,
            task: `task-${i % 5}`,
            queue: `queue-${i % 2}`,
            wakeAt: i % 4 < 2 ? i : undefined,
          }),
        },
      ],
    }));
    await ledger.commit(changes);
    const count = async (query: object): Promise<number> => {
      const seen = new Set<string>();
      let cursor: string | undefined;
      do {
        const page = await ledger.list({
          kind: 'job',
          limit: 70,
          ...query,
          ...(cursor === undefined ? {} : { cursor }),
        });
        expect(page.records.length).toBeLessThanOrEqual(70);
        for (const { key } of page.records) seen.add(key.id);
        cursor = page.cursor;
      } while (cursor !== undefined);
      return seen.size;
    };
    expect(await count({})).toBe(3000);
    expect(await count({ states: ['dead'] })).toBe(750);
    expect(await count({ states: ['dead', 'scheduled'], task: 'task-3' })).toBe(300);
    expect(await count({ states: ['retrying'], queue: 'queue-1' })).toBe(750);
    expect(await count({ task: 'task-1', idPrefix: 'job-001' })).toBe(20);
    expect(await count({ states: ['nobody'] })).toBe(0);
    await ledger.close();
  });
});

describe('backup', () => {
  test('copies a store while others write, and opens', async () => {
    const backend = await openBackend();
    for (let i = 0; i < 100; i += 1) await place(backend.ledger, `job-${i}`);
    const target = join(folder, 'copies', 'monday');
    const copying = backup(folder, target);
    for (let i = 100; i < 200; i += 1) await place(backend.ledger, `job-${i}`);
    await copying;
    await closeBackend(backend);
    const restored = await openBackend(target);
    expect(await restored.ledger.read([jobKey('job-0'), jobKey('job-99')])).toMatchObject([
      { version: 1 },
      { version: 1 },
    ]);
    expect(await receive(restored)).toHaveLength(10);
    await closeBackend(restored);
    await expect(backup(folder, target)).rejects.toMatchObject({ code: 'E_STORE_FOLDER' });
    await expect(backup(join(folder, 'none'), join(folder, 'x'))).rejects.toMatchObject({ code: 'E_STORE_FOLDER' });
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

test('a full disk refuses, keeps what was answered, and goes on when there is room', async ({ skip }) => {
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    skip('cannot mount a small disk here');
  }
  try {
    const ledger = embeddedLedger(join(disk, 'store'), { clock });
    await ledger.open();
    writeFileSync(join(disk, 'ballast'), Buffer.alloc(1_000_000));
    const answered: string[] = [];
    const refusal = await (async () => {
      for (let i = 0; i < 10_000; i += 1) {
        try {
          await place(ledger, `job-${i}`, { body: 'x'.repeat(20_000) });
        } catch (error) {
          return error;
        }
        answered.push(`job-${i}`);
      }
    })();
    expect(refusal).toMatchObject({ code: 'E_STORE_FULL' });
    expect(answered.length).toBeGreaterThan(100);
    rmSync(join(disk, 'ballast'));
    expect(await place(ledger, 'after')).toEqual({ answer: 'ok' });
    await ledger.close();
    const again = embeddedLedger(join(disk, 'store'), { clock });
    const records = await again.read([...answered, 'after'].map(jobKey));
    expect(records.filter((record) => record === undefined)).toEqual([]);
    await again.close();
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
});

test('an id that cannot be stored is refused alone', async () => {
  const ledger = embeddedLedger(folder, { clock });
  const others = [place(ledger, 'a'), place(ledger, 'x'.repeat(2000)), place(ledger, 'b')];
  const outcomes = await Promise.allSettled(others);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(outcomes[1]).toMatchObject({ reason: { code: 'E_ID' } });
  await ledger.close();
});

test('nothing is left open: no timer, no file, no lock of ours', async () => {
  const transport = embeddedTransport(folder, { clock });
  await transport.open();
  await transport.send([{ id: 'm', queue: 'default', body: new Uint8Array(3), deliverAt: clock.now() + HOUR_MS }]);
  const stop = new AbortController();
  const waiting = transport.receive({ queue: 'default', max: 1, leaseMs: 1000, holder: 'w', signal: stop.signal });
  await clock.advance(10);
  stop.abort();
  expect(await waiting).toEqual([]);
  expect(clock.pending).toBe(0);
  await transport.close();
  expect(readdirSync(folder).toSorted()).toEqual([
    'carillon.json',
    'data.mdb',
    'gate.mdb',
    'gate.mdb-lock',
    'lock.mdb',
  ]);
});

test('a durability that does not exist gives up nothing silently', () => {
  expect(() => embedded(folder, { durability: 'fsnc' as 'fsync' })).toThrow(/E_OPTIONS/);
  expect(() => embedded(folder, { durabilty: 'async' } as never)).toThrow(/the option durabilty/);
  expect(() => embedded('')).toThrow(/E_OPTIONS/);
});
