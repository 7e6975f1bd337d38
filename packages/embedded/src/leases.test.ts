import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend, ChangeAnswer, RecordContent, RecordKey, Write } from '@carillon/core/spi';
import { VirtualClock, seededRandom } from '@carillon/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { embedded } from './embedded.js';

let folder = '';
let clock = new VirtualClock();
let backend: Backend;
let nonces = 0;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-leases-'));
  clock = new VirtualClock();
  backend = embedded(folder, { clock });
  await backend.ledger.open();
  await backend.transport.open();
});

afterEach(async () => {
  await backend.transport.close();
  await backend.ledger.close();
  rmSync(folder, { recursive: true, force: true });
});

const keyOf = (id: string): RecordKey => ({ kind: 'job', id, partition: id });

function content(fields: Partial<RecordContent> = {}): RecordContent {
  const wakeAt = clock.now();
  const rest = { expiresAt: undefined, durableGrant: false, body: '{}', outbox: [] };
  return {
    generation: 1,
    queue: 'default',
    task: 'task',
    state: 'scheduled',
    dueAt: wakeAt,
    wakeAt,
    ...rest,
    ...fields,
  };
}

async function commit(write: Write): Promise<ChangeAnswer> {
  const [answer] = await backend.ledger.commit([{ nonce: `n${(nonces += 1)}`, durable: false, writes: [write] }]);
  return answer!;
}

async function place(id: string, task = 'task'): Promise<void> {
  const put = { do: 'put', key: keyOf(id), expect: { absent: true }, content: content({ task }) } as const;
  expect(await commit(put)).toEqual({ answer: 'ok' });
}

/** What is there to be received now, by id; `room` as the engine says it. */
async function receive(leaseMs: number, room?: ReadonlyMap<string, number>): Promise<Map<string, number>> {
  const stop = new AbortController();
  const request = { queue: 'default', max: 1000, leaseMs, holder: 'w', signal: stop.signal, ...(room && { room }) };
  const receiving = backend.transport.receive(request);
  await clock.advance(0);
  stop.abort();
  return new Map((await receiving).map(({ granted }) => [granted!.record.key.id, granted!.fence]));
}

test('H2: leases of any length, renewed and resolved in any order, are taken over when they end, and not before', async () => {
  const random = seededRandom(11);
  const upTo = (n: number): number => 1 + Math.floor(random.next() * n);
  const held = new Map<string, { until: number; fence: number }>();
  let takenOver = 0;
  for (let round = 0; round < 150; round += 1) {
    for (let i = upTo(4); i > 0; i -= 1) await place(`job-${round}-${i}`);
    const leaseMs = upTo(50) * 1000;
    const expected = [...held].filter(([, { until }]) => until <= clock.now()).map(([id]) => id);
    const received = await receive(leaseMs);
    const again = [...received.keys()].filter((id) => held.has(id));
    expect(again.toSorted()).toEqual(expected.toSorted());
    takenOver += again.length;
    for (const [id, fence] of received) held.set(id, { until: clock.now() + leaseMs, fence });
    for (const [id, { until, fence }] of held) {
      const dice = random.next();
      if (dice < 0.2) {
        const [answer] = await backend.ledger.renew([{ key: keyOf(id), fence, leaseMs: 40_000 }]);
        expect(answer).toMatchObject({ answer: 'ok' });
        held.set(id, { until: Math.max(until, clock.now() + 40_000), fence });
      } else if (dice < 0.4) {
        const [record] = await backend.ledger.read([keyOf(id)]);
        const done = content({ state: 'done', wakeAt: undefined });
        const expectation = { version: record!.version, fence };
        const put = { do: 'put', key: keyOf(id), expect: expectation, content: done } as const;
        expect(await commit(put)).toEqual({ answer: 'ok' });
        held.delete(id);
      }
    }
    await clock.advance(upTo(20) * 1000);
  }
  expect(takenOver).toBeGreaterThan(50);
}, 30_000);

test('N1: an ended lease of a task without room is left alone, and keeps nobody from waiting', async () => {
  await place('slow', 'slow');
  expect([...(await receive(1000)).keys()]).toEqual(['slow']);
  await clock.advance(2000);
  expect([...(await receive(1000, new Map([['slow', 0]]))).keys()]).toEqual([]);
  await place('quick', 'quick');
  expect([...(await receive(1000, new Map([['slow', 0]]))).keys()]).toEqual(['quick']);
  expect([...(await receive(1000, new Map([['slow', 1]]))).keys()]).toEqual(['slow']);
});

test('H3: a record that is settled over the head of its holder wants nothing more, and is listed once', async () => {
  await place('job');
  await receive(1000);
  const cancelled = content({ state: 'cancelled', wakeAt: undefined, expiresAt: clock.now() + 60_000 });
  await commit({ do: 'put', key: keyOf('job'), expect: { any: true }, content: cancelled });
  await clock.advance(5000);
  expect(await receive(1000)).toEqual(new Map());
  const states = ['scheduled', 'cancelled'];
  const { records } = await backend.ledger.list({ kind: 'job', states, limit: 10 });
  expect(records).toMatchObject([{ key: keyOf('job'), state: 'cancelled', lease: { holder: 'w' } }]);
  const due = await backend.ledger.due({ queues: ['default'], before: clock.now() + 3_600_000, limit: 10 });
  expect(due.records).toEqual([]);
});

test('S1: a lease goes with its record, and a new record of that name has none', async () => {
  await place('job');
  await receive(1000);
  await commit({ do: 'remove', key: keyOf('job'), expect: { any: true } });
  await place('job');
  const [record] = await backend.ledger.read([keyOf('job')]);
  expect(record).toMatchObject({ version: 1, fence: 0, lease: undefined });
});
