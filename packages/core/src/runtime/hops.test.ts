import { Carillon, defineTask, implement, silentLogger } from '@carillon/core';
import type { Clock } from '@carillon/core/spi';
import { memory, VirtualClock } from '@carillon/testing';
import { describe, expect, it } from 'vitest';
import {
  DAY,
  fusedStage,
  HOUR,
  messageStage,
  MINUTE,
  onBothBackends,
  SECOND,
} from './on-both-backends.fixture.test.js';

const task = defineTask<null, string>('work', { in: '40h' });

describe('hops, on a transport with a horizon of an hour', () => {
  it('a long way is many hops: one message each, never early, and exactly one start (I2, I5, I9)', async () => {
    const { clock, start } = messageStage({ horizonMs: HOUR });
    const from = clock.now();
    const starts: number[] = [];
    const { carillon, transport, heard } = await start([
      implement(task, () => (starts.push(clock.now() - from), 'ok')),
    ]);
    await carillon.schedule(task, null);
    await clock.advance(2 * DAY);
    expect(starts).toEqual([40 * HOUR]);
    expect(heard('job:hopped')).toHaveLength(40); // of 59 minutes each
    expect(transport.calls('send')).toBe(41);
    expect(heard('sweep:done')).toEqual([]);
  });

  it('copies of a hop’s message collapse: one loses, and is acked (I6, I9)', async () => {
    const { clock, start, store } = messageStage({ horizonMs: HOUR });
    let runs = 0;
    const definition = implement(task, () => `${(runs += 1)}`);
    const { carillon, transport, heard } = await start([definition]);
    const second = await start([definition]);
    const hold = transport.hold('send');
    await carillon.schedule(task, null);
    await hold.reached;
    const [record] = (await store.ledger.list({ kind: 'job', limit: 1 })).records;
    const copies = record?.outbox.map(({ message }) => message) ?? [];
    expect(copies).toHaveLength(1);
    for (let copy = 0; copy < 5; copy += 1) await store.transport.send(copies);
    hold.release();
    await clock.advance(5.5 * HOUR);
    expect(heard('job:hopped').length + second.heard('job:hopped').length).toBe(5);
    expect(transport.calls('send') + second.transport.calls('send')).toBe(6);
    await clock.advance(2 * DAY);
    expect(runs).toBe(1);
  });

  it('a cancelled job’s chain ends at its next hop (I6)', async () => {
    const { clock, start, store } = messageStage({ horizonMs: HOUR });
    const { carillon, transport } = await start([implement(task, () => 'ok')]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(3.5 * HOUR);
    const sent = transport.calls('send');
    await carillon.cancel(task, { id });
    await clock.advance(2 * DAY);
    expect(transport.calls('send')).toBe(sent);
    const poll = new AbortController();
    const left = store.transport.receive({ queue: 'default', max: 1, leaseMs: 1, holder: 'x', signal: poll.signal });
    poll.abort();
    expect(await left).toEqual([]);
  });

  it('a rescheduled job’s old chain does not start it (I10)', async () => {
    const { clock, start } = messageStage({ horizonMs: HOUR });
    const from = clock.now();
    const starts: number[] = [];
    const { carillon } = await start([implement(task, () => (starts.push(clock.now() - from), 'ok'))]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(3.5 * HOUR);
    await carillon.reschedule(task, { id }, { in: '5h' });
    await carillon.reschedule(task, { id }, { in: '10h' });
    await clock.advance(3 * DAY);
    expect(starts).toEqual([13.5 * HOUR]);
  });

  it('a crash between a hop’s commit and its send heals (I3)', async () => {
    const { clock, start } = messageStage({ horizonMs: HOUR });
    const definition = implement(task, () => 'ok');
    const { carillon, transport, kill } = await start([definition]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(SECOND);
    const hold = transport.hold('send');
    await clock.advance(HOUR);
    await hold.reached;
    kill();
    const second = await start([definition]);
    await clock.advance(2 * DAY);
    expect(await second.carillon.get(task, { id })).toMatchObject({ state: 'done', attemptsBegun: 1 });
    expect(second.heard('job:started').map(({ latenessMs }) => latenessMs)).toEqual([0]);
  });

  it('a retry beyond the horizon hops as well', async () => {
    const { clock, start } = messageStage({ horizonMs: HOUR });
    const from = clock.now();
    const slow = defineTask<null, string>('slow', { retry: { backoff: { type: 'fixed', delay: '5h', jitter: 0 } } });
    const starts: number[] = [];
    const { carillon } = await start([
      implement(slow, (_, { number }) => {
        starts.push(clock.now() - from);
        if (number === 1) throw new Error('no');
        return 'ok';
      }),
    ]);
    await carillon.schedule(slow, null);
    await clock.advance(DAY);
    expect(starts).toEqual([0, 5 * HOUR]);
  });
});

it('a broker whose clock is behind refuses no hop (K1)', async () => {
  const clock = new VirtualClock();
  const behind: Clock = {
    now: () => clock.now() - 30 * SECOND,
    monotonic: () => clock.monotonic(),
    after: (delayMs, wake) => clock.after(delayMs, wake),
    soon: (wake) => clock.soon(wake),
  };
  const { ledger } = memory({ clock });
  const { transport } = memory({ clock: behind, limits: { horizonMs: HOUR } });
  const carillon = new Carillon({
    backend: { ledger, transport },
    tasks: [implement(task, () => 'ok')],
    clock,
    logger: silentLogger,
  });
  await carillon.start();
  const { id } = await carillon.schedule(task, null);
  await clock.advance(2 * DAY);
  expect(await carillon.get(task, { id })).toMatchObject({ state: 'done' });
  const stopped = carillon.stop();
  await clock.advance(MINUTE);
  await stopped;
});

it('a fused store without a horizon hops for nobody', async () => {
  const { clock, start } = fusedStage();
  const { carillon, heard } = await start([implement(task, () => 'ok')]);
  await carillon.schedule(task, null);
  await clock.advance(2 * DAY);
  expect([heard('job:hopped').length, heard('job:completed').length]).toEqual([0, 1]);
});

onBothBackends('wall times', (stage) => {
  /** Moves the record's due time, as if the zone's rules had been others when it was written. */
  const written = async (byMs: number) => {
    const played = stage();
    const from = played.clock.now();
    const starts: number[] = [];
    const { carillon } = played.process([]);
    await carillon.schedule(task, null, { at: '2026-01-05 09:00', timezone: 'Europe/Berlin' }); // in 4 days and 8 hours
    const [record] = (await played.store.ledger.list({ kind: 'job', limit: 1 })).records;
    if (record === undefined) throw new Error('no record');
    const { key, version, fence: _f, lease: _l, interrupted: _i, ...content } = record;
    const moved = { ...content, dueAt: content.dueAt + byMs };
    const put = { do: 'put', key, expect: { version }, content: moved } as const;
    await played.store.ledger.commit([{ nonce: 'zone', writes: [put], durable: true }]);
    await played.start([implement(task, () => (starts.push(played.clock.now() - from), 'ok'))]);
    return { ...played, starts };
  };

  it.each([
    ['as they are', 0],
    ['later, by two hours', 2 * HOUR],
    ['earlier, by two hours', -2 * HOUR],
    ['earlier, by days', -4 * DAY],
  ])('run when the wall clock shows it, if the rules were %s when it was scheduled (K2)', async (_, byMs) => {
    const { clock, starts } = await written(byMs);
    await clock.advance(6 * DAY);
    expect(starts).toEqual([4 * DAY + 8 * HOUR]);
  });

  it('are resolved again at least daily', async () => {
    const { clock, starts, store } = await written(HOUR);
    await clock.advance(DAY + MINUTE);
    const [record] = (await store.ledger.list({ kind: 'job', limit: 1 })).records;
    expect(record?.dueAt).toBe(Date.UTC(2026, 0, 5, 8));
    expect(starts).toEqual([]);
  });

  it('a retry of one is an instant like any other', async () => {
    const { clock, start } = stage();
    const from = clock.now();
    const starts: number[] = [];
    const backoff = { type: 'fixed', delay: '1h', jitter: 0 } as const;
    const failing = defineTask<null>('failing', { attempts: 2, retry: { backoff } });
    const { carillon } = await start([
      implement(failing, () => {
        starts.push(clock.now() - from);
        throw new Error('no');
      }),
    ]);
    await carillon.schedule(failing, null, { at: '2026-01-01 02:00', timezone: 'Europe/Berlin' });
    await clock.advance(DAY);
    expect(starts).toEqual([HOUR, 2 * HOUR]);
  });
});
