import { defineTask, implement } from '@carillon/core';
import type { LedgerRecord, RecordContent } from '@carillon/core/spi';
import { describe, expect, it } from 'vitest';
import { decodeEnvelope } from '../message/envelope.js';
import { partitionOf } from '../message/names.js';
import { HOUR, messageStage, MINUTE, onBothBackends, SECOND, type Stage } from './on-both-backends.fixture.test.js';

const task = defineTask<unknown>('work');
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const wire = (change: object = {}): Uint8Array =>
  utf8(JSON.stringify({ v: 1, r: 1, k: 'job', i: 'x', p: '00', g: 1, t: 'work', d: 0, h: 0, ...change }));

/** Puts bytes straight into the queue, as something other than Carillon would. */
const post = async ({ store, clock }: Stage, body: Uint8Array): Promise<void> => {
  await store.transport.send([{ id: 'stray', queue: 'default', body, deliverAt: clock.now() }]);
};

describe('messages that no Carillon wrote', () => {
  /** Sends the bytes to a worker, and a sound job behind them. */
  const meet = async (body: Uint8Array, forMs = HOUR) => {
    const stage = messageStage();
    const payloads: unknown[] = [];
    const worker = await stage.start([implement(task, (payload) => void payloads.push(payload))]);
    await post(stage, body);
    await worker.carillon.schedule(task, 'sound');
    await stage.clock.advance(forMs);
    return { ...stage, ...worker, payloads, dead: (await worker.carillon.list({ states: ['dead'] })).jobs };
  };

  it.each([
    ['nothing', utf8('')],
    ['no UTF-8', new Uint8Array([0xff, 0xfe, 0x80])],
    ['no JSON', utf8('{"v":1')],
    ['no object', utf8('[1,2]')],
    ['a null', utf8('null')],
    ['no version', wire({ r: undefined })],
    ['no identity', wire({ i: 7 })],
    ['an endless identity', wire({ i: 'x'.repeat(700) })],
    ['a number out of range', wire({ d: -1 })],
    ['a generation that is no number', wire({ g: '1' })],
    ['a body that is no object', wire({ b: 'text' })],
    ['a body that is no job', wire({ b: {} })],
  ])('%s → a dead letter with its reason and bytes, and the next job runs (V3, I8)', async (_, body) => {
    const { payloads, dead, heard, transport } = await meet(body);
    const base64 = Buffer.from(body).toString('base64');
    expect(payloads).toEqual(['sound']);
    expect(dead).toMatchObject([
      { state: 'dead', reason: expect.any(String), payload: { bytes: body.byteLength, base64 } },
    ]);
    expect(heard('delivery:malformed')).toHaveLength(1);
    expect(transport.calls('ack')).toBe(2); // it is gone, and does not come again
  });

  it('more bytes than are allowed → malformed, unread', () => {
    const body = wire();
    expect(decodeEnvelope(body, body.byteLength)).toMatchObject({ is: 'envelope' });
    expect(decodeEnvelope(body, body.byteLength - 1)).toMatchObject({ is: 'malformed', reason: expect.any(String) });
  });

  it.each([
    ['from a newer version', wire({ r: 2 }), 'written by a newer version'],
    ['of a kind that a newer version may know', wire({ k: 'run' }), 'unknown kind of record: run'],
  ])('%s → given back for 15 minutes, then a dead letter', async (_, body, reason) => {
    const early = await meet(body, 14 * MINUTE);
    expect([early.dead, early.payloads]).toEqual([[], ['sound']]);
    expect(early.transport.calls('receive')).toBeLessThan(100);
    const { dead } = await meet(body, 16 * MINUTE);
    expect(dead).toMatchObject([{ reason: expect.stringContaining(reason) }]);
  });

  it('a record that this version can’t read → given back for 15 minutes, then a dead letter, and nothing stops (V3)', async () => {
    const reason = 'A record has the format 2.';
    const { store, clock, process } = messageStage();
    const payloads: unknown[] = [];
    const { carillon, ledger, heard } = process([implement(task, (payload) => void payloads.push(payload))]);
    const acquire = ledger.acquire.bind(ledger);
    const stray = (id: string): boolean => id === 'x';
    ledger.acquire = async (claims) => {
      const answers = await acquire(claims);
      return answers.map((one, index) => (stray(claims[index]!.key.id) ? { answer: 'unreadable', reason } : one));
    };
    await carillon.start();
    await store.transport.send([{ id: 'stray', queue: 'default', body: wire(), deliverAt: clock.now() }]);
    await carillon.schedule(task, 'sound');
    await clock.advance(14 * MINUTE);
    expect([payloads, heard('backend:down'), heard('delivery:malformed')]).toEqual([['sound'], [], []]);
    await clock.advance(2 * MINUTE);
    expect(heard('delivery:malformed')).toMatchObject([{ reason }]);
    expect((await carillon.list({ states: ['dead'] })).jobs).toMatchObject([
      { reason: expect.stringContaining(reason) },
    ]);
  });

  it('a forged identity finds no record → a declared loss, listed, no loop', async () => {
    const { dead, heard, transport } = await meet(wire({ i: 'nobody' }));
    expect(heard('ledger:loss')).toEqual([{ id: 'nobody', task: 'work' }]);
    expect(dead).toMatchObject([{ id: 'nobody', reason: 'record lost' }]);
    expect(transport.calls('ack')).toBe(2);
  });

  it('a forged body cannot take another job’s key', async () => {
    const stage = messageStage();
    const { carillon } = await stage.start([implement(task, () => {})]);
    const { id } = await carillon.schedule(task, 'mine', { key: 'k', in: '1d' });
    const d = stage.clock.now();
    await post(stage, wire({ p: partitionOf('x'), d, b: { payload: 'forged', key: 'k' } }));
    await stage.clock.advance(MINUTE);
    expect(await carillon.get(task, { key: 'k' })).toMatchObject({ id, state: 'scheduled', payload: 'mine' });
    expect(await carillon.get(task, { id: 'x' })).toMatchObject({ state: 'done', payload: 'forged', key: undefined });
  });

  it.each([
    ['overrides', { payload: 1, overrides: { timeout: 'soon' } }],
    ['attempts', { payload: 1, attempts: 7, starts: 1, interruptions: 1 }],
    ['a wish', { payload: 1, wish: { want: 'reschedule', due: { wall: 'x', timezone: 'y' } } }],
  ])('a body with nonsense for %s does not crash or loop', async (_, b) => {
    const { payloads, carillon, ledger } = await meet(wire({ b }), 2 * MINUTE);
    expect(payloads).toContain('sound');
    expect((await carillon.list({ states: ['dead', 'done'] })).jobs.length).toBeGreaterThanOrEqual(1);
    expect(ledger.calls('commit')).toBeLessThan(50);
  });

  it.each([
    ['early', { d: 0 }],
    ['late', { d: 9e15 }],
    ['of another hop', { h: 7 }],
    ['of a generation to come', { g: 9e15 }],
  ])('a forged message that comes %s does not start a job before its time (I5)', async (_, change) => {
    const stage = messageStage();
    const starts: number[] = [];
    const { carillon } = await stage.start([implement(task, () => void starts.push(stage.clock.now()))]);
    const dueAt = stage.clock.now() + HOUR;
    const { id } = await carillon.schedule(task, 1, { in: '1h' });
    const [record] = (await stage.store.ledger.list({ kind: 'job', limit: 1 })).records;
    await post(stage, wire({ i: id, p: record?.key.partition, g: record?.generation, d: dueAt, ...change }));
    await stage.clock.advance(2 * HOUR);
    expect(starts).toEqual([dueAt]);
  });
});

onBothBackends('damage and strangers', (stage) => {
  const damage = async ({ store }: Stage, change: (record: LedgerRecord) => Partial<RecordContent>): Promise<void> => {
    const [record] = (await store.ledger.list({ kind: 'job', limit: 1 })).records;
    if (record === undefined) throw new Error('there is no record to damage');
    const { key, version, fence: _f, lease: _l, interrupted: _i, ...content } = record;
    const put = { do: 'put', key, expect: { version }, content: { ...content, ...change(record) } } as const;
    expect(await store.ledger.commit([{ nonce: 'damage', writes: [put], durable: true }])).toEqual([{ answer: 'ok' }]);
  };

  it.each(['{"payload":', '5', 'null', '{}', '[]', '"text"'])(
    'a record whose body is %s → dead with its text, listed before and after, and nothing stops (V3, I8)',
    async (body) => {
      const it = stage();
      const payloads: unknown[] = [];
      const { carillon } = await it.start([implement(task, (payload) => void payloads.push(payload))]);
      const { id } = await carillon.schedule(task, 'lost', { in: '1h' });
      await damage(it, () => ({ body }));
      expect((await carillon.list()).jobs).toMatchObject([{ id, state: 'scheduled', payload: body }]);
      await carillon.schedule(task, 'sound', { in: '1h' });
      await it.clock.advance(2 * HOUR);
      expect(payloads).toEqual(['sound']);
      expect(await carillon.get(task, { id })).toMatchObject({
        state: 'dead',
        reason: expect.stringContaining('unreadable'),
        payload: body,
      });
    },
  );

  it('a task that nobody knows is given back for 15 minutes from first sight, then dead', async () => {
    const { clock, start } = stage();
    const { carillon, heard } = await start([implement(task, () => {})]);
    const stranger = defineTask<null>('stranger');
    const { id } = await carillon.schedule(stranger, null);
    await clock.advance(15 * MINUTE - 1);
    expect(await carillon.get(stranger, { id })).toMatchObject({ state: 'scheduled' });
    expect(heard('job:given-back').every(({ why }) => why === 'unknown')).toBe(true);
    await clock.advance(MINUTE);
    expect(await carillon.get(stranger, { id })).toMatchObject({ state: 'dead', reason: 'unknown task', attempts: [] });
    expect(heard('job:given-back').length).toBeLessThanOrEqual(61);
  });

  it('in a rolling deploy the process that knows the task runs it', async () => {
    const { clock, start } = stage();
    const young = defineTask<null>('young');
    const old = await start([implement(task, () => {})]);
    const { id } = await old.carillon.schedule(young, null);
    await clock.advance(5 * MINUTE);
    const { carillon } = await start([implement(young, () => {}), implement(task, () => {})]);
    await old.carillon.stop();
    await clock.advance(MINUTE);
    expect(await carillon.get(young, { id })).toMatchObject({ state: 'done', attemptsBegun: 1 });
  });

  it('a body of a newer version is given back for 15 minutes, unharmed, then dead', async () => {
    const it = stage();
    let runs = 0;
    const { carillon } = await it.start([implement(task, () => void (runs += 1))]);
    const { id } = await carillon.schedule(task, 'p', { in: '1s' });
    await damage(it, ({ body }) => ({ body: JSON.stringify({ ...(JSON.parse(body) as object), reader: 2, news: 7 }) }));
    await it.clock.advance(10 * MINUTE);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'scheduled' });
    const [record] = (await it.store.ledger.list({ kind: 'job', limit: 1 })).records;
    expect(JSON.parse(record?.body ?? '')).toMatchObject({ reader: 2, news: 7 });
    await it.clock.advance(6 * MINUTE);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'dead', reason: 'written by a newer version' });
    expect(runs).toBe(0);
  });

  it('fields that this version does not know survive an attempt', async () => {
    const it = stage();
    const { carillon } = await it.start([implement(task, () => {})]);
    await carillon.schedule(task, 'p', { in: '1s' });
    await damage(it, ({ body }) => ({ body: JSON.stringify({ ...(JSON.parse(body) as object), news: 7 }) }));
    await it.clock.advance(10 * SECOND);
    const [record] = (await it.store.ledger.list({ kind: 'job', limit: 1 })).records;
    expect([record?.state, JSON.parse(record?.body ?? '')]).toMatchObject(['done', { news: 7 }]);
  });
});
