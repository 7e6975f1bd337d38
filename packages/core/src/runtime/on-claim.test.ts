import { defineTask, implement } from '@carillon/core';
import { describe, expect, it } from 'vitest';
import { codeOf, DAY, HOUR, messageStage, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const backoff = { type: 'fixed', delay: '1m', jitter: 0 } as const;
const task = defineTask<{ n: number }, string>('bulk', { in: '1h', record: 'on-claim', retry: { backoff } });

onBothBackends('on-claim jobs', (stage) => {
  it('run at their time, once, with what they were sent (I2, I5)', async () => {
    const { clock, start } = stage();
    const from = clock.now();
    const seen: unknown[] = [];
    const { carillon } = await start([
      implement(task, (payload, { headers, idempotencyKey, nominalAt }) => {
        seen.push({ payload, headers, idempotencyKey, at: clock.now() - from, nominal: +nominalAt - from });
        return 'ok';
      }),
    ]);
    const { id } = await carillon.schedule(task, { n: 1 }, { headers: { trace: 'x' } });
    await clock.advance(2 * HOUR);
    const expected = { payload: { n: 1 }, headers: { trace: 'x' }, idempotencyKey: id, at: HOUR, nominal: HOUR };
    expect(seen).toEqual([expected]);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', result: 'ok', placedAt: new Date(from) });
  });

  it('are retried like any other, with their overrides', async () => {
    const { clock, start } = stage();
    let runs = 0;
    const failing = implement(task, () => {
      runs += 1;
      throw new Error('no');
    });
    const { carillon } = await start([failing]);
    const { id } = await carillon.schedule(task, { n: 1 }, { attempts: 3 });
    await clock.advance(2 * HOUR);
    expect(runs).toBe(3);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'dead', failures: 3 });
  });

  it('have no key: it does not compile, and is refused', async () => {
    const { carillon } = stage().process([]);
    const options = { key: 'k', in: '1h' } as const;
    expect(await codeOf(carillon.schedule(task, { n: 1 }, options))).toBe('E_OPTIONS');
    const usual = defineTask<null>('usual');
    // @ts-expect-error a key beside record: 'on-claim'
    expect(await codeOf(carillon.schedule(usual, null, { key: 'k', record: 'on-claim' }))).toBe('E_OPTIONS');
  });

  it('an interrupted one is taken over', async () => {
    const { clock, start } = stage();
    const first = await start([implement(task, () => new Promise<string>(() => {}))]);
    const { id } = await first.carillon.schedule(task, { n: 1 });
    await clock.advance(HOUR);
    first.kill();
    const { carillon } = await start([implement(task, () => 'ok')]);
    await clock.advance(2 * MINUTE);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', interruptions: 1 });
  });
});

describe('on-claim jobs, where nothing but the message exists', () => {
  it('leave no record until they run, and answer sent', async () => {
    const { clock, start, store } = messageStage();
    const { carillon } = await start([implement(task, () => 'ok')]);
    const answer = await carillon.schedule(task, { n: 1 }, { id: 'one' });
    expect(answer).toEqual({ id: 'one', outcome: 'sent' });
    expect((await store.ledger.list({ kind: 'job', limit: 10 })).records).toEqual([]);
    await clock.advance(HOUR);
    expect(await carillon.get(task, { id: 'one' })).toMatchObject({ state: 'done' });
  });

  it('a batch is one send', async () => {
    const { process } = messageStage();
    const { carillon, transport } = process([]);
    const calls = Array.from({ length: 50 }, (_, n) => ({ task, payload: { n } }));
    expect((await carillon.scheduleMany(calls)).every(({ outcome }) => outcome === 'sent')).toBe(true);
    expect(transport.calls('send')).toBe(1);
  });

  it('copies collapse when they are claimed, also after it is done (I2)', async () => {
    const { clock, start } = messageStage();
    let runs = 0;
    const { carillon } = await start([implement(task, () => `${(runs += 1)}`)]);
    const send = () => carillon.schedule(task, { n: 1 }, { id: 'one' });
    const sent = { id: 'one', outcome: 'sent' };
    expect([await send(), await send(), await send()]).toEqual([sent, sent, sent]);
    await clock.advance(2 * HOUR);
    await send();
    await clock.advance(2 * HOUR);
    expect(runs).toBe(1);
  });

  it('a send of unknown outcome is repeated; a lost one is unclear and safe to repeat (M3)', async () => {
    const { clock, start } = messageStage();
    let runs = 0;
    const { carillon, transport } = await start([implement(task, () => `${(runs += 1)}`)]);
    transport.fail('send', { when: 'after' });
    const failure = await carillon.schedule(task, { n: 1 }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'E_UNCLEAR', id: expect.any(String) });
    await clock.advance(SECOND);
    const { id } = failure as { id: string };
    expect(await carillon.schedule(task, { n: 1 }, { id })).toEqual({ id, outcome: 'sent' });
    await clock.advance(2 * HOUR);
    expect(runs).toBe(1);
  });

  it('a cancel before the claim is requested, and stops it; a second one finds it settled', async () => {
    const { clock, start } = messageStage();
    let runs = 0;
    const { carillon, heard } = await start([implement(task, () => `${(runs += 1)}`)]);
    const { id } = await carillon.schedule(task, { n: 1 });
    expect(await carillon.cancel(task, { id })).toEqual({ outcome: 'requested', id, attempts: 0 });
    expect(await carillon.cancel(task, { id })).toMatchObject({ outcome: 'settled' });
    await clock.advance(2 * HOUR);
    expect([runs, heard('ledger:loss').length]).toEqual([0, 0]);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'cancelled' });
  });

  it('a cancel holds until the message comes, also after months on a transport without a horizon', async () => {
    const { clock, process, start } = messageStage();
    let runs = 0;
    const shop = process([]).carillon;
    const { id } = await shop.schedule(task, { n: 1 }, { in: '90d' });
    expect(await shop.cancel(task, { id })).toMatchObject({ outcome: 'requested' });
    await clock.advance(91 * DAY);
    await start([implement(task, () => `${(runs += 1)}`)]);
    await clock.advance(HOUR);
    expect(runs).toBe(0);
  });

  it('hop with their payload in the record from the first hop on, and run once (I2, I5)', async () => {
    const { clock, start } = messageStage({ horizonMs: 10 * MINUTE });
    const from = clock.now();
    const starts: number[] = [];
    const { carillon, transport } = await start([implement(task, () => (starts.push(clock.now() - from), 'ok'))]);
    await carillon.schedule(task, { n: 1 });
    await clock.advance(3 * HOUR);
    expect(starts).toEqual([HOUR]);
    expect(transport.calls('send')).toBe(7); // after 9 minutes each
  });

  it('a cancel between two hops answers cancelled, and ends the chain', async () => {
    const { clock, start } = messageStage({ horizonMs: 10 * MINUTE });
    let runs = 0;
    const { carillon } = await start([implement(task, () => `${(runs += 1)}`)]);
    const { id } = await carillon.schedule(task, { n: 1 });
    await clock.advance(25 * MINUTE);
    expect(await carillon.cancel(task, { id })).toMatchObject({ outcome: 'cancelled' });
    await clock.advance(3 * HOUR);
    expect(runs).toBe(0);
  });

  const once = defineTask<null, string>('once', { record: 'on-claim', attempts: 'never-again' });

  it('never-again: a second delivery without a record is parked: it may have begun, and the ledger forgotten it', async () => {
    const { clock, start, store, process } = messageStage();
    let runs = 0;
    const { id } = await process([]).carillon.schedule(once, null);
    const poll = new AbortController();
    const request = { queue: 'default', max: 1, leaseMs: 1000, holder: 'gone', signal: poll.signal };
    const [delivery] = await store.transport.receive(request); // taken, and never heard of again
    expect(delivery?.attempt).toBe(1);
    await clock.advance(2 * SECOND);
    const { carillon } = await start([implement(once, () => `${(runs += 1)}`)]);
    await clock.advance(MINUTE);
    expect(runs).toBe(0);
    expect(await carillon.get(once, { id })).toMatchObject({ state: 'indeterminate', reason: 'record lost' });
  });

  it('never-again: a first delivery runs, once', async () => {
    const { clock, start } = messageStage();
    let runs = 0;
    const { carillon } = await start([implement(once, () => `${(runs += 1)}`)]);
    const { id } = await carillon.schedule(once, null);
    await clock.advance(HOUR);
    expect([runs, (await carillon.get(once, { id }))?.state]).toEqual([1, 'done']);
  });

  it('V5: another payload under an id that has run is set aside with its reason, and does not run', async () => {
    const { clock, start } = messageStage();
    const seen: number[] = [];
    const { carillon, heard } = await start([implement(task, ({ n }) => `${seen.push(n)}`)]);
    await carillon.schedule(task, { n: 1 }, { id: 'one' });
    await clock.advance(2 * HOUR);
    await carillon.schedule(task, { n: 1 }, { id: 'one' });
    await clock.advance(2 * HOUR);
    expect(heard('delivery:malformed')).toEqual([]);
    await carillon.schedule(task, { n: 2 }, { id: 'one' });
    await clock.advance(2 * HOUR);
    expect(seen).toEqual([1]);
    expect(heard('delivery:malformed')).toMatchObject([
      { reason: expect.stringContaining('the job one of the same id') },
    ]);
    const { jobs } = await carillon.list({ states: ['dead'] });
    expect(jobs).toMatchObject([{ reason: expect.stringContaining('another payload') }]);
  });

  it('V5: another payload whose delivery wins the record is reported, and the recorded one runs', async () => {
    const { clock, start, process } = messageStage();
    const producer = process([]).carillon;
    const seen: number[] = [];
    let fail = true;
    const failing = implement(task, ({ n }) => {
      seen.push(n);
      if (fail) throw new Error('not yet');
      return 'ok';
    });
    await producer.schedule(task, { n: 1 }, { id: 'one', in: '1m' });
    const { carillon, heard } = await start([failing]);
    await clock.advance(61 * SECOND);
    fail = false;
    await producer.schedule(task, { n: 2 }, { id: 'one', in: '30s' });
    await clock.advance(HOUR);
    expect(seen).toEqual([1, 1]);
    expect(heard('delivery:malformed').length).toBe(1);
    expect(await carillon.get(task, { id: 'one' })).toMatchObject({ state: 'done', payload: { n: 1 } });
  });

  it('a message that is older than its record could be is parked, not run', async () => {
    const { clock, process, start } = messageStage();
    const shop = process([]).carillon;
    const runs: number[] = [];
    await shop.schedule(task, { n: 1 }, { id: 'old', in: '1m' });
    await clock.advance(HOUR);
    await shop.schedule(task, { n: 2 }, { id: 'young', in: '1m' });
    await clock.advance(3 * DAY - HOUR + 30 * SECOND);
    await clock.advance(30 * SECOND);
    const { carillon } = await start([implement(task, ({ n }) => `${runs.push(n)}`)]);
    await clock.advance(MINUTE);
    expect(runs).toEqual([2]);
    const reason = 'older than its record would have been kept';
    expect(await carillon.get(task, { id: 'old' })).toMatchObject({ state: 'dead', reason, payload: { n: 1 } });
  });
});
