import { CarillonError, defineTask, implement } from '@carillon/core';
import { describe, expect, it, vi } from 'vitest';
import { gate, HOUR, messageStage, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const backoff = { type: 'fixed', delay: '1m', jitter: 0 } as const;
const task = defineTask<number, string>('work', { in: '1m', retry: { backoff } });
onBothBackends('ledger out of reach', (stage) => {
  it('commits what a handler has done as soon as it is back: nothing is repeated, no attempt is burnt (I2, I11)', async () => {
    const { clock, start } = stage();
    const end = gate();
    let runs = 0;
    const worker = await start([implement(task, () => ((runs += 1), end.opened.then(() => 'ok')))]);
    const { id } = await worker.carillon.schedule(task, 1);
    await clock.advance(MINUTE);
    const mend = worker.breakOff('ledger');
    end.open();
    await clock.advance(10 * SECOND);
    expect(worker.heard('backend:down')).toHaveLength(1);
    expect(worker.heard('job:completed')).toEqual([]);
    mend();
    await clock.advance(20 * SECOND);
    expect(worker.heard('backend:up')).toHaveLength(1);
    expect(await worker.carillon.get(task, { id })).toMatchObject({
      state: 'done',
      attemptsBegun: 1,
      interruptions: 0,
    });
    expect(runs).toBe(1);
  });

  it('who waits for a result waits through it, and is told of it in words of the house when the time is over', async () => {
    const { clock, start } = stage();
    const worker = await start([implement(task, () => 'ok')]);
    const { id } = await worker.carillon.schedule(task, 1);
    const mend = worker.breakOff('ledger');
    const patient = worker.carillon.result(task, { id }, { within: '5m' });
    const hasty = worker.carillon.result(task, { id }, { within: '30s' }).catch((error: unknown) => error);
    await clock.advance(MINUTE);
    expect(await hasty).toMatchObject({ code: 'E_TIMEOUT', id, cause: expect.any(Error) });
    mend();
    await clock.advance(2 * MINUTE);
    expect(await patient).toMatchObject({ state: 'done', result: 'ok' });
  });

  it('an outage longer than the lease: the job is run again, by whoever comes first, and nothing is lost', async () => {
    const { clock, start } = stage();
    const worker = await start([implement(task, () => 'ok')]);
    await worker.carillon.scheduleMany([1, 2, 3].map((payload) => ({ task, payload })));
    await clock.advance(30 * SECOND);
    const mend = worker.breakOff('ledger');
    await clock.advance(5 * MINUTE);
    mend();
    await clock.advance(2 * MINUTE);
    const { jobs } = await worker.carillon.list();
    expect(jobs.map(({ state, failures }) => [state, failures])).toEqual(jobs.map(() => ['done', 0]));
    expect(jobs).toHaveLength(3);
  });

  it('takes no deliveries meanwhile, asks seldom, and says so once (H1)', async () => {
    const { clock, start } = stage();
    const worker = await start([implement(task, () => 'ok')]);
    await worker.carillon.schedule(task, 1);
    await clock.advance(30 * SECOND);
    worker.breakOff('ledger');
    await clock.advance(MINUTE);
    const before = { receive: worker.transport.calls('receive'), release: worker.transport.calls('release') };
    const asked = worker.ledger.calls('now');
    await clock.advance(10 * MINUTE);
    expect(worker.transport.calls('receive') - before.receive).toBeLessThanOrEqual(2);
    expect(worker.transport.calls('release') - before.release).toBeLessThanOrEqual(2);
    expect(worker.ledger.calls('now') - asked).toBeLessThan(400);
    expect(worker.heard('backend:down').length).toBeLessThanOrEqual(1);
  });

  it('a record that can’t be read and keeps a queue from being received from is told once, and asked for seldom (H4)', async () => {
    const { clock, start } = stage();
    const worker = await start([implement(task, () => 'ok')]);
    const unreadable = new CarillonError('E_STORE_VERSION', 'another format', { next: 'start the newer one' });
    const received = vi.spyOn(worker.transport, 'receive').mockImplementation(async () => {
      if (received.mock.calls.length > 1_000) return new Promise(() => {}); // a loop would never end
      throw unreadable;
    });
    await worker.carillon.schedule(task, 1);
    await clock.advance(10 * MINUTE);
    expect(received.mock.calls.length).toBeGreaterThan(1);
    expect(received.mock.calls.length).toBeLessThan(400);
    expect(worker.heard('backend:down')).toHaveLength(1);
    received.mockRestore();
    await clock.advance(MINUTE);
    expect(worker.heard('job:completed')).toHaveLength(1);
  });

  it('a commit whose answer was lost is repeated with its nonce, and counts once (H2, L4)', async () => {
    const { clock, start } = stage();
    const end = gate();
    const worker = await start([implement(task, () => end.opened.then(() => 'ok'))]);
    const { id } = await worker.carillon.schedule(task, 1);
    await clock.advance(MINUTE);
    worker.ledger.fail('commit', { times: 3, when: 'after' });
    end.open();
    await clock.advance(10 * SECOND);
    expect(worker.heard('job:completed')).toHaveLength(1);
    expect(worker.heard('lease:lost')).toEqual([]);
    expect(await worker.carillon.get(task, { id })).toMatchObject({ state: 'done', attemptsBegun: 1 });
  });

  it('a commit whose answer takes longer than a heartbeat is no lost lease', async () => {
    const { clock, start } = stage();
    const worker = await start([implement(task, () => 'ok')]);
    const { id } = await worker.carillon.schedule(task, 1);
    await clock.advance(MINUTE - 1);
    const answer = worker.ledger.hold('commit', { when: 'after' });
    await clock.advance(20 * SECOND);
    answer.release();
    await clock.advance(10 * SECOND);
    expect([worker.heard('lease:lost'), worker.heard('job:overran')]).toEqual([[], []]);
    expect(worker.heard('job:completed')).toHaveLength(1);
    expect(await worker.carillon.get(task, { id })).toMatchObject({ state: 'done', attemptsBegun: 1 });
  });

  it('a commit whose answer was lost leaves an edit alone that came meanwhile (U2)', async () => {
    const { clock, start, process } = stage();
    const failing = implement(task, () => {
      throw new Error('no');
    });
    const worker = await start([failing]);
    const shop = process([]).carillon;
    const { id } = await shop.schedule(task, 1);
    await clock.advance(MINUTE - 1);
    worker.ledger.fail('commit', { when: 'after' });
    await clock.advance(1);
    expect(await shop.reschedule(task, { id }, { in: '1h' })).toMatchObject({ outcome: 'rescheduled', attempts: 1 });
    const dueAt = new Date(clock.now() + HOUR);
    await clock.advance(30 * MINUTE);
    expect(await shop.get(task, { id })).toMatchObject({ state: 'scheduled', dueAt, failures: 1, attemptsBegun: 1 });
    expect(worker.heard('lease:lost')).toEqual([]);
    await clock.advance(30 * MINUTE);
    expect(await shop.get(task, { id })).toMatchObject({ failures: 2, attemptsBegun: 2 });
  });

  it('a failed attempt whose commit’s answer was lost counts as one failure', async () => {
    const { clock, start } = stage();
    const worker = await start([
      implement(task, (_, { number }) => {
        if (number > 1) return 'ok';
        worker.ledger.fail('commit', { times: 1, when: 'after' });
        throw new Error('no');
      }),
    ]);
    const { id } = await worker.carillon.schedule(task, 1);
    await clock.advance(5 * MINUTE);
    expect(await worker.carillon.get(task, { id })).toMatchObject({ state: 'done', failures: 1, attemptsBegun: 2 });
    expect(worker.heard('job:failed')).toHaveLength(1);
  });
});

describe('transport out of reach', () => {
  it('schedules all the same, and sends when it is back (M2, I3)', async () => {
    const { clock, start } = messageStage();
    const { carillon, transport, heard } = await start([implement(task, () => 'ok')]);
    transport.fail('send', { times: 40 });
    const { id } = await carillon.schedule(task, 1);
    await clock.advance(10 * MINUTE);
    expect(heard('job:completed')).toMatchObject([{ id }]);
  });

  it('does not flap: a transport that fails while the ledger answers is asked at growing intervals (H1)', async () => {
    const { clock, start } = messageStage();
    const { carillon, breakOff, heard } = await start([implement(task, () => 'ok')]);
    const mend = breakOff('transport');
    const { id } = await carillon.schedule(task, 1, { in: '1s' });
    await clock.advance(10 * MINUTE);
    expect(heard('backend:down').length).toBeLessThan(300);
    mend();
    await clock.advance(20 * SECOND);
    expect(heard('job:completed')).toMatchObject([{ id }]);
  });

  it('jobs that waited for a long outage are sent within seconds of its end, not within hours (I3)', async () => {
    const { clock, start, process } = messageStage();
    const producer = process([]);
    await producer.carillon.list(); // it is open
    producer.breakOff('transport');
    const { id } = await producer.carillon.schedule(task, 1, { in: '1s' });
    const { breakOff, transport, heard } = await start([implement(task, () => 'ok')]);
    const mend = breakOff('transport');
    await clock.advance(3 * HOUR);
    expect(transport.calls('send')).toBeLessThan(3 * 60 * 13); // it is not hammered while it is down
    mend();
    await clock.advance(20 * SECOND);
    expect(heard('job:completed')).toMatchObject([{ id }]);
  });

  it.each(['ack', 'release', 'extend'] as const)(
    'an %s that fails means one delivery more, and nothing worse',
    async (call) => {
      const { clock, start } = messageStage();
      const end = gate();
      let runs = 0;
      const { carillon, transport } = await start([implement(task, () => ((runs += 1), end.opened.then(() => 'ok')))]);
      transport.fail(call, { times: 3 });
      const { id } = await carillon.schedule(task, 1);
      await clock.advance(2 * MINUTE);
      end.open();
      await clock.advance(10 * MINUTE);
      expect(runs).toBe(1);
      expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', attemptsBegun: 1 });
    },
  );
});
