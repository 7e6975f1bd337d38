import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import { codeOf, gate, HOUR, messageStage, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const task = defineTask<string, string>('work');

onBothBackends('stop', (stage) => {
  /** A process whose handler runs until `end`, or as the test wants. */
  const running = async (heed: 'heeds' | 'ignores' = 'ignores') => {
    const { clock, start } = stage();
    const end = gate();
    const signals: AbortSignal[] = [];
    const definition = implement(task, async (_, { signal }) => {
      signals.push(signal);
      if (heed === 'ignores') return end.opened.then(() => 'ok');
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    const process = await start([definition], { concurrency: 1 });
    const { id } = await process.carillon.schedule(task, 'p');
    await clock.advance(0);
    const next = async () => {
      const worker = await start([implement(task, () => 'next')]);
      await clock.advance(SECOND);
      return worker.carillon.get(task, { id });
    };
    return { ...process, clock, end, signals, id, next };
  };
  const ended = async (call: Promise<unknown>) => {
    let done = false;
    void call.then(() => (done = true));
    await new Promise((resolve) => setImmediate(resolve));
    return done;
  };

  it('takes nothing new, and lets handlers finish (N1)', async () => {
    const { carillon, clock, end, signals, next } = await running();
    await carillon.schedule(task, 'waiting');
    const stopped = carillon.stop({ within: '1m' });
    await clock.advance(30 * SECOND);
    expect([await ended(stopped), signals[0]?.aborted]).toEqual([false, false]);
    end.open();
    await clock.advance(0);
    await stopped;
    expect(signals).toHaveLength(1);
    expect(await next()).toMatchObject({ state: 'done', result: 'ok', interruptions: 0 });
  });

  it('aborts those that have not finished within its time', async () => {
    const { carillon, clock, signals, next } = await running('heeds');
    const stopped = carillon.stop({ within: '10s' });
    await clock.advance(10 * SECOND - 1);
    expect(signals[0]?.aborted).toBe(false);
    await clock.advance(1);
    expect(signals[0]?.reason).toMatchObject({ code: 'E_STOPPED' });
    await stopped;
    expect(await next()).toMatchObject({ state: 'done', result: 'next', interruptions: 1, failures: 0 });
  });

  it('gives back what ignores even that, so that the next process goes on at once', async () => {
    const { carillon, clock, end, next } = await running('ignores');
    const stopped = carillon.stop({ within: '10s' });
    await clock.advance(15 * SECOND);
    expect(await ended(stopped)).toBe(true);
    expect(await next()).toMatchObject({ state: 'done', result: 'next', interruptions: 1 });
    end.open();
  });

  it('a second stop waits for the first and is harmless; so is one after it', async () => {
    const { carillon, clock, end } = await running();
    const first = carillon.stop();
    const second = carillon.stop();
    expect(await ended(second)).toBe(false);
    end.open();
    await clock.advance(0);
    await Promise.all([first, second]);
    await carillon.stop();
  });

  it('as an async disposable', async () => {
    const { process } = stage();
    const { carillon } = process([implement(task, () => 'ok')]);
    {
      await using disposed = carillon;
      await disposed.start();
      await disposed.schedule(task, 'p');
    }
    expect(await codeOf(carillon.schedule(task, 'p'))).toBe('E_STOPPED');
    expect(await codeOf(carillon.start())).toBe('E_STOPPED');
  });

  it('answers no call from the moment that it begins', async () => {
    const { carillon, clock, end } = await running();
    const stopped = carillon.stop();
    expect(await codeOf(carillon.schedule(task, 'p'))).toBe('E_STOPPED');
    expect(await codeOf(carillon.list())).toBe('E_STOPPED');
    end.open();
    await clock.advance(0);
    await stopped;
  });

  it('of a process that never started, or never opened', async () => {
    const { process } = stage();
    await process([implement(task, () => 'ok')]).carillon.stop();
    const { carillon } = process([]);
    await carillon.schedule(task, 'p');
    await carillon.stop();
  });

  it('ends in time although the ledger hangs: leases end by themselves', async () => {
    const { carillon, clock, end, ledger, next } = await running();
    for (let call = 0; call < 10; call += 1) ledger.hold('commit');
    end.open();
    const stopped = carillon.stop({ within: '10s' });
    await clock.advance(20 * SECOND);
    expect(await ended(stopped)).toBe(true);
    await clock.advance(MINUTE);
    expect(await next()).toMatchObject({ state: 'done', result: 'next', interruptions: 1 });
  });

  it('ends in time although the ledger is down', async () => {
    const { carillon, clock, end, ledger } = await running();
    ledger.fail('commit', { times: 10_000 });
    ledger.fail('now', { times: 10_000 });
    ledger.fail('renew', { times: 10_000 });
    end.open();
    const stopped = carillon.stop({ within: '10s' });
    await clock.advance(20 * SECOND);
    expect(await ended(stopped)).toBe(true);
  });

  it('leaves nothing running: no timer, no poll', async () => {
    const { clock, start } = stage();
    const { carillon, transport } = await start([implement(task, () => 'ok')]);
    await carillon.schedule(task, 'p');
    await clock.advance(MINUTE);
    await carillon.stop();
    await clock.advance(MINUTE);
    const calls = transport.calls('receive');
    await clock.advance(HOUR);
    expect([clock.pending, transport.calls('receive')]).toEqual([0, calls]);
  });

  it('start is harmless twice, and says what is missing', async () => {
    const { clock, process } = stage();
    let runs = 0;
    const { carillon, ledger } = process([implement(task, () => `${(runs += 1)}`)]);
    ledger.fail('open', { error: new Error('no such server') });
    await expect(carillon.start()).rejects.toThrow('no such server');
    await Promise.all([carillon.start(), carillon.start()]);
    await carillon.schedule(task, 'p');
    await clock.advance(MINUTE);
    expect(runs).toBe(1);
  });
});

it('stop waits for messages that are being sent, but not for ever', async () => {
  const { clock, process } = messageStage();
  const { carillon, transport } = process([]);
  const hold = transport.hold('send');
  await carillon.schedule(task, 'p');
  await hold.reached;
  let done = false;
  const stopped = carillon.stop({ within: '5s' }).then(() => (done = true));
  await clock.advance(4 * SECOND);
  expect(done).toBe(false);
  await clock.advance(2 * SECOND);
  expect(done).toBe(true);
  await stopped;
});

it('what is held for its millisecond is given back at a stop, uncounted', async () => {
  const { clock, start } = messageStage({ precisionMs: 1000 });
  const { carillon } = await start([implement(task, () => 'first')]);
  const { id } = await carillon.schedule(task, 'p', { in: '5s' });
  await clock.advance(4 * SECOND); // it has landed
  await carillon.stop();
  const second = await start([implement(task, () => 'second')]);
  await clock.advance(10 * SECOND);
  expect(await second.carillon.get(task, { id })).toMatchObject({
    result: 'second',
    attemptsBegun: 1,
    interruptions: 0,
  });
});
