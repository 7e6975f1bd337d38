import { Carillon, defineTask, implement, silentLogger } from '@carillon/core';
import type { Transport } from '@carillon/core/spi';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, messageStage, MINUTE, SECOND } from './on-both-backends.fixture.test.js';

const task = defineTask<number, string>('work', { in: '1m' });

describe('outbox and sweep (memory)', () => {
  it('a message that was not sent is overdue after five seconds, not at its due time (O2)', async () => {
    const { clock, start, process, store } = messageStage();
    const producer = process([]);
    producer.transport.fail('send');
    const { id } = await producer.carillon.schedule(task, 1, { in: '10d' });
    const sweeper = await start([implement(task, () => 'ok')]);
    await clock.advance(15 * SECOND);
    expect(sweeper.heard('sweep:done')).toMatchObject([{ examined: 1, resent: 1 }]);
    const [record] = (await store.ledger.list({ kind: 'job', limit: 1 })).records;
    expect(record?.outbox).toEqual([]);
    expect(record?.wakeAt).toBeGreaterThan(clock.now() + 9 * DAY);
    expect(id).toBeDefined();
    await clock.advance(HOUR);
    expect(sweeper.heard('sweep:done')).toHaveLength(1);
  });

  it('a message that is lost is sent again after a grace that doubles: one copy per round (W1, I3, I9)', async () => {
    const { clock, store, process, start } = messageStage();
    const { carillon } = process([]);
    const { id } = await carillon.schedule(task, 1, { in: '1s' });
    // The broker loses all of it: the messages are taken by nobody and forgotten.
    const forget = async (): Promise<number> => {
      let taken = 0;
      for (;;) {
        const poll = new AbortController();
        const request = { queue: 'default', max: 10, leaseMs: 1000, holder: 'thief', signal: poll.signal };
        const deliveries = store.transport.receive(request);
        await new Promise((resolve) => setImmediate(resolve));
        poll.abort();
        const got = await deliveries;
        for (const delivery of got) await delivery.ack();
        taken += got.length;
        if (got.length === 0) return taken;
      }
    };
    const sweepers = [
      await start([]),
      await start([], { queues: ['default'] }),
      await start([], { queues: ['default'] }),
    ];
    for (const { deafen } of sweepers) deafen();
    const copies: number[] = [];
    for (let minute = 0; minute < 30; minute += 1) {
      await clock.advance(MINUTE);
      copies.push(await forget());
    }
    const total = copies.reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThanOrEqual(6); // 1 + the rounds
    expect(total).toBeLessThanOrEqual(9); // 15 s, 30 s, 1 min, 2 min, 4 min, 8 min, … whatever the number of engines
    const worker = await start([implement(task, () => 'ok')]);
    await clock.advance(HOUR);
    expect(await worker.carillon.get(task, { id })).toMatchObject({ state: 'done', attemptsBegun: 1 });
  });

  it('a lost retry message heals too', async () => {
    const { clock, start } = messageStage();
    const retried = defineTask<null, string>('retried', { retry: { backoff: { type: 'fixed', delay: '10s' } } });
    const { carillon, transport } = await start([
      implement(retried, (_, { number }) => {
        if (number === 1) {
          transport.fail('send');
          throw new Error('no');
        }
        return 'ok';
      }),
    ]);
    const { id } = await carillon.schedule(retried, null);
    await clock.advance(5 * MINUTE);
    expect(await carillon.get(retried, { id })).toMatchObject({ state: 'done', attemptsBegun: 2 });
  });

  it('healthy jobs are swept by nobody (W1, I9)', async () => {
    const { clock, start } = messageStage();
    const { carillon, transport, heard } = await start([implement(task, () => 'ok')]);
    for (let n = 0; n < 20; n += 1) await carillon.schedule(task, n, { in: { minutes: n } });
    await clock.advance(HOUR);
    expect(heard('job:completed')).toHaveLength(20);
    expect(heard('sweep:done')).toEqual([]);
    expect(transport.calls('send')).toBe(20);
  });

  it('an engine with nothing to sweep asks three times a minute, and only for the next record (W3)', async () => {
    const { clock, start } = messageStage();
    const { carillon, ledger } = await start([implement(task, () => 'ok')]);
    await carillon.schedule(task, 1, { in: '10d' });
    const before = ledger.calls('due');
    await clock.advance(10 * MINUTE);
    expect(ledger.calls('due') - before).toBeGreaterThanOrEqual(26);
    expect(ledger.calls('due') - before).toBeLessThanOrEqual(31);
  });

  it.each([61, 67, 73, 79])(
    'what will be overdue is swept as soon as it is: a job due in %i s (W3)',
    async (seconds) => {
      const { clock, start } = messageStage();
      const { carillon, deafen, heard } = await start([implement(task, () => 'ok')]);
      deafen(); // its message is lost on it
      await carillon.schedule(task, 1, { in: { seconds } });
      await clock.advance((seconds + 15) * SECOND);
      expect(heard('sweep:done')).toEqual([]);
      await clock.advance(2.5 * SECOND);
      expect(heard('sweep:done')).toMatchObject([{ examined: 1, resent: 1 }]);
    },
  );

  it('what somebody else leaves unsent meanwhile is swept after the longest pause (W3, I3)', async () => {
    const { clock, process, start } = messageStage();
    const producer = process([]);
    const sweeper = await start([implement(task, () => 'ok')]);
    producer.transport.fail('send');
    await clock.advance(30 * SECOND); // the sweeper has found nothing, and pauses for long
    await producer.carillon.schedule(task, 1, { in: '10d' });
    await clock.advance(22.5 * SECOND);
    expect(sweeper.heard('sweep:done')).toMatchObject([{ examined: 1, resent: 1 }]);
  });

  it('a broker’s late refusal makes the job dead, and says so (O3, I8)', async () => {
    const { clock, start } = messageStage({ maxBytes: 60 }); // room for the payload, not for an envelope
    const { carillon, heard } = await start([implement(task, () => 'ok')]);
    const { id, outcome } = await carillon.schedule(task, 1, { key: 'k' });
    expect(outcome).toBe('scheduled');
    await clock.advance(SECOND);
    const reason: unknown = expect.stringContaining('refused by the broker');
    expect(heard('job:dead')).toMatchObject([{ id, reason }]);
    expect(await carillon.get(task, { key: 'k' })).toMatchObject({ id, state: 'dead', reason });
    await clock.advance(HOUR);
    expect(heard('job:dead')).toHaveLength(1);
  });

  it('a record that cannot be read does not stop the sweep: those behind it are healed (V3)', async () => {
    const { clock, start, process, store } = messageStage();
    const producer = process([]);
    producer.transport.fail('send', { times: 2 });
    const first = await producer.carillon.schedule(task, 1);
    const second = await producer.carillon.schedule(task, 2);
    const [record] = (await store.ledger.list({ kind: 'job', limit: 1 })).records;
    if (record === undefined) throw new Error('no record');
    const { key, version, fence: _f, lease: _l, interrupted: _i, ...content } = record;
    const put = { do: 'put', key, expect: { version }, content: { ...content, body: '{' } } as const;
    await store.ledger.commit([{ nonce: 'damage', writes: [put], durable: true }]);
    const { carillon, heard } = await start([implement(task, () => 'ok')]);
    await clock.advance(2 * MINUTE);
    const states = [(await carillon.get(task, first))?.state, (await carillon.get(task, second))?.state];
    expect(new Set(states)).toEqual(new Set(['dead', 'done']));
    expect(heard('job:dead')).toMatchObject([{ reason: expect.stringContaining('unreadable') }]);
    expect(heard('backend:down')).toEqual([]);
  });

  it('of a batch, only messages of unknown outcome are sent again, with the same ids (I9)', async () => {
    const { store } = messageStage();
    const onClaim = defineTask<number>('bulk', { record: 'on-claim' });
    const sent: string[][] = [];
    const send = store.transport.send.bind(store.transport);
    const doubtful: Transport['send'] = async (messages) => {
      sent.push(messages.map(({ id }) => id));
      const outcomes = await send(messages);
      return outcomes.map((outcome, index) =>
        sent.length < 3 && index === 0 ? { outcome: 'unknown', cause: 0 } : outcome,
      );
    };
    const flaky = new Carillon({ backend: store, logger: silentLogger });
    store.transport.send = doubtful;
    const calls = ['a', 'b', 'c'].map((id, payload) => ({ task: onClaim, payload, options: { id } }));
    const answers = await flaky.scheduleMany(calls);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['sent', 'sent', 'sent']);
    expect(sent).toEqual([['a#0', 'b#0', 'c#0'], ['a#0'], ['a#0']]);
  });

  it('what the sweep writes are whole milliseconds', async () => {
    const { clock, start, process, store } = messageStage();
    const producer = process([]);
    producer.transport.fail('send', { when: 'after', times: 10 });
    await producer.carillon.schedule(task, 1, { in: '1s' });
    const { deafen } = await start([implement(task, () => 'ok')]);
    deafen();
    for (let round = 0; round < 10; round += 1) {
      await clock.advance(20 * SECOND);
      const [record] = (await store.ledger.list({ kind: 'job', limit: 1 })).records;
      expect([round, Number.isInteger(record?.wakeAt)]).toEqual([round, true]);
    }
  });
});
