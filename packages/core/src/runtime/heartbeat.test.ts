import { defineTask, implement } from '@carillon/core';
import { describe, expect, it } from 'vitest';
import { gate, HOUR, messageStage, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const task = defineTask<null, string>('long');

onBothBackends('heartbeat', (stage) => {
  /** A job that runs on the first process until `end`; `signal` is its handler's. */
  const running = async () => {
    const { clock, start } = stage();
    const end = gate();
    const signals: AbortSignal[] = [];
    const on = (name: string) =>
      implement(task, (_, { signal }) => {
        signals.push(signal);
        return end.opened.then(() => name);
      });
    const first = await start([on('first')]);
    const { id } = await first.carillon.schedule(task, null);
    await clock.advance(0);
    return { clock, start, end, signals, on, first, id };
  };

  it('a handler that runs for hours keeps its lease, and nobody else starts it (I2)', async () => {
    const { clock, start, end, signals, on, first, id } = await running();
    const second = await start([on('second')]);
    await clock.advance(6 * HOUR);
    end.open();
    await clock.advance(MINUTE);
    expect(signals).toHaveLength(1);
    expect(second.heard('job:started')).toEqual([]);
    expect(await first.carillon.get(task, { id })).toMatchObject({
      state: 'done',
      result: 'first',
      attemptsBegun: 1,
      interruptions: 0,
    });
  });

  it('renews at a third of the lease, all that is held in one call (T2)', async () => {
    const { clock, start } = stage();
    const { carillon, ledger } = await start([implement(task, () => new Promise<string>(() => {}))]);
    await carillon.scheduleMany(Array.from({ length: 20 }, () => ({ task, payload: null })));
    await clock.advance(SECOND);
    const before = ledger.calls('renew');
    await clock.advance(5 * MINUTE);
    expect(ledger.calls('renew') - before).toBeLessThanOrEqual(30);
    expect(ledger.calls('renew') - before).toBeGreaterThanOrEqual(20);
  });

  it('a lease that is lost aborts the handler, tells so, and nothing is recorded for it (U1)', async () => {
    const { clock, start, end, signals, on, first, id } = await running();
    first.deafen();
    first.ledger.fail('renew', { times: 1000 });
    await clock.advance(30 * SECOND);
    expect(signals[0]?.reason).toMatchObject({ code: 'E_STOPPED' });
    expect(first.heard('lease:lost')).toMatchObject([{ id, attempt: 1 }]);
    end.open();
    await clock.advance(0);
    expect(await first.carillon.get(task, { id })).toMatchObject({ state: 'running' });
    const second = await start([on('second')]);
    await clock.advance(2 * MINUTE);
    expect(await second.carillon.get(task, { id })).toMatchObject({ state: 'done', interruptions: 1 });
  });

  it.each(['fails', 'hangs'])(
    'a renewal that %s counts as a lost lease while the handler is still alone (T1)',
    async (how) => {
      const { clock, signals, first, id } = await running();
      first.deafen();
      if (how === 'fails') first.ledger.fail('renew', { times: 1000 });
      else for (let call = 0; call < 20; call += 1) first.ledger.hold('renew');
      let abortedAt: number | undefined;
      const from = clock.now();
      signals[0]?.addEventListener('abort', () => (abortedAt = clock.now() - from));
      await clock.advance(2 * MINUTE);
      expect(abortedAt).toBeLessThan(30 * SECOND); // the lease's end
      expect(abortedAt).toBeGreaterThanOrEqual(20 * SECOND); // and not at the first hiccup
      expect(first.heard('lease:lost')).toMatchObject([{ id }]);
    },
  );

  it('a hiccup of the ledger costs nothing', async () => {
    const { clock, end, signals, first, id } = await running();
    first.ledger.fail('renew', { times: 1 });
    await clock.advance(5 * MINUTE);
    expect(signals[0]?.aborted).toBe(false);
    end.open();
    await clock.advance(SECOND);
    expect(await first.carillon.get(task, { id })).toMatchObject({ state: 'done', interruptions: 0 });
  });

  it('a late answer to an earlier renewal takes nothing back (T1)', async () => {
    const { clock, signals, first } = await running();
    const hold = first.ledger.hold('renew');
    await clock.advance(27 * SECOND); // the next renewals are answered meanwhile
    hold.release();
    await clock.advance(5 * MINUTE);
    expect(signals[0]?.aborted).toBe(false);
    expect(first.heard('lease:lost')).toEqual([]);
  });

  it('a zombie, paused beyond its lease, cannot commit over the one who took over (I2, I4)', async () => {
    const { clock, start, end, first, id } = await running();
    first.deafen();
    const hold = first.ledger.hold('commit'); // its commit is on its way, and stays there
    end.open();
    await hold.reached;
    first.ledger.fail('renew', { times: 1000 });
    const slow = gate();
    const second = await start([implement(task, () => slow.opened.then(() => 'second'))]);
    await clock.advance(2 * MINUTE);
    expect(second.heard('job:started')).toMatchObject([{ id, attempt: 2 }]);
    hold.release();
    await clock.advance(0);
    expect(await second.carillon.get(task, { id })).toMatchObject({ state: 'running', holder: { worker: 'worker-2' } });
    expect(first.heard('job:completed')).toEqual([]);
    slow.open();
    await clock.advance(SECOND);
    expect(await second.carillon.get(task, { id })).toMatchObject({ state: 'done', result: 'second' });
  });

  it('a commit after the lease’s end counts if nobody has taken over', async () => {
    const { clock, end, first, id } = await running();
    const hold = first.ledger.hold('commit');
    end.open();
    await hold.reached;
    first.ledger.fail('renew', { times: 3 });
    await clock.advance(0);
    hold.release();
    await clock.advance(SECOND);
    expect(await first.carillon.get(task, { id })).toMatchObject({ state: 'done', result: 'first' });
  });
});

describe('a claim that is answered late', () => {
  /** A job whose claim the first process has made, and whose answer is held up. */
  const claimed = async () => {
    const { clock, start } = messageStage();
    const signals: AbortSignal[] = [];
    const begun: string[] = [];
    const on = (name: string, works: Promise<unknown>) =>
      implement(task, async (_, { signal }) => {
        begun.push(name);
        signals.push(signal);
        await works;
        return name;
      });
    const first = await start([on('first', new Promise(() => {}))]);
    const answer = first.ledger.hold('acquire', { when: 'after' });
    const { id } = await first.carillon.schedule(task, null);
    await clock.advance(0);
    await answer.reached;
    return { clock, start, on, first, answer, id, signals, begun };
  };

  it('starts nothing once its lease is nearly over: somebody else may have the job (Y6 of delivery.ts)', async () => {
    const { clock, start, on, first, answer, id, begun } = await claimed();
    first.deafen();
    const second = await start([on('second', Promise.resolve())]);
    await clock.advance(2 * MINUTE);
    expect(begun).toEqual(['second']);
    answer.release();
    await clock.advance(MINUTE);
    expect(begun).toEqual(['second']);
    expect(first.heard('job:started')).toEqual([]);
    expect(await second.carillon.get(task, { id })).toMatchObject({ state: 'done', result: 'second' });
  });

  it('is given back uncounted when nobody else has taken it', async () => {
    const { clock, first, answer, id, begun } = await claimed();
    await clock.advance(25 * SECOND);
    answer.release();
    await clock.advance(0);
    expect(begun).toEqual(['first']);
    expect(await first.carillon.get(task, { id })).toMatchObject({ attemptsBegun: 1, interruptions: 0 });
  });

  it('has a lease that counts from the claim: the handler is told to stop while it is alone (T1)', async () => {
    const { clock, first, answer, begun, signals } = await claimed();
    await clock.advance(12 * SECOND);
    first.ledger.fail('renew', { times: 1000 });
    first.deafen();
    answer.release();
    await clock.advance(0);
    expect(begun).toEqual(['first']);
    expect(signals[0]!.aborted).toBe(false);
    await clock.advance(15 * SECOND);
    expect(signals[0]!.aborted).toBe(true);
  });

  it('has its lease renewed at once, not at the next beat (T3)', async () => {
    const { clock, first, answer, begun, signals } = await claimed();
    await clock.advance(17 * SECOND);
    answer.release();
    await clock.advance(MINUTE);
    expect(begun).toEqual(['first']);
    expect(signals[0]!.aborted).toBe(false);
    expect(first.heard('lease:lost')).toEqual([]);
  });
});
