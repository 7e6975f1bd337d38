import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import { gate, HOUR, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const backoff = { type: 'fixed', delay: '1s', jitter: 0 } as const;
const task = defineTask<null, string>('work', { retry: { backoff } });
const hangs = () => new Promise<string>(() => {});

onBothBackends('interruptions', (stage) => {
  it('a job whose process dies is taken over, with the same idempotency key and a higher fence (I2, I3, I4)', async () => {
    const { clock, start } = stage();
    const seen: { key: string; fence: number; number: number }[] = [];
    const on = (end: () => Promise<string>) =>
      implement(task, (_, { idempotencyKey: key, fencingToken: fence, number }) => {
        seen.push({ key, fence, number });
        return end();
      });
    const first = await start([on(hangs)]);
    const { id } = await first.carillon.schedule(task, null);
    await clock.advance(0);
    first.kill();
    const { carillon, heard } = await start([on(async () => 'ok')]);
    await clock.advance(2 * MINUTE);
    expect(seen).toEqual([
      { key: id, fence: seen[0]?.fence, number: 1 },
      { key: id, fence: seen[1]?.fence, number: 2 },
    ]);
    expect(seen[1]?.fence).toBeGreaterThan(seen[0]?.fence ?? 0);
    expect(heard('job:interrupted')).toMatchObject([{ id, worker: 'worker-1' }]);
    expect(await carillon.get(task, { id })).toMatchObject({
      state: 'done',
      failures: 0,
      interruptions: 1,
      attemptsBegun: 2,
      attempts: [
        { number: 1, worker: 'worker-1', outcome: 'interrupted' },
        { number: 2, worker: 'worker-2', outcome: 'done' },
      ],
    });
  });

  it('a job that kills its process ten times is dead and listed (I8)', async () => {
    const { clock, start, process } = stage();
    const { carillon } = process([]);
    const { id } = await carillon.schedule(task, null);
    let runs = 0;
    for (let life = 0; life < 15; life += 1) {
      const worker = await start([implement(task, () => ((runs += 1), hangs()))]);
      await clock.advance(2 * MINUTE);
      worker.kill();
    }
    expect(runs).toBe(10);
    expect((await carillon.list({ states: ['dead'] })).jobs).toMatchObject([
      { id, reason: 'interrupted too often', interruptions: 10, failures: 0 },
    ]);
  });

  it.each([
    ['the task’s', { interruptions: 2 }, {}],
    ['a call’s', { interruptions: 3 }, { interruptions: 2 }],
  ])('the limit is %s to set', async (_, options, overrides) => {
    const { clock, start, process } = stage();
    const fragile = defineTask<null>('fragile', options);
    const { carillon } = process([]);
    await carillon.schedule(fragile, null, overrides);
    let runs = 0;
    for (let life = 0; life < 4; life += 1) {
      const worker = await start([implement(fragile, () => ((runs += 1), hangs()))]);
      await clock.advance(2 * MINUTE);
      worker.kill();
    }
    expect(runs).toBe(2);
  });

  it('interruptions and failures are counted apart', async () => {
    const { clock, start, process } = stage();
    const { carillon } = process([]);
    const { id } = await carillon.schedule(task, null, { attempts: 3 });
    const failsThenHangs = implement(task, (_, { number }) => {
      if (number % 2 === 1) throw new Error('no');
      return hangs();
    });
    for (let life = 0; life < 4; life += 1) {
      const worker = await start([failsThenHangs]);
      await clock.advance(2 * MINUTE);
      worker.kill();
    }
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'dead', failures: 3, interruptions: 2 });
  });

  it('nothing that a dead process’s handler does is recorded (U1)', async () => {
    const { clock, start } = stage();
    const end = gate();
    const first = await start([implement(task, () => end.opened.then(() => 'from the dead'))]);
    const { id } = await first.carillon.schedule(task, null);
    await clock.advance(0);
    first.kill();
    const { carillon } = await start([implement(task, async () => 'ok')]);
    await clock.advance(2 * MINUTE);
    end.open();
    await clock.advance(HOUR);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', result: 'ok' });
  });

  it('a stop that cannot wait counts as one, and the next process goes on at once', async () => {
    const { clock, start } = stage();
    const first = await start([implement(task, hangs)]);
    const { id } = await first.carillon.schedule(task, null);
    await clock.advance(0);
    const stopped = first.carillon.stop({ within: '1s' });
    await clock.advance(6 * SECOND);
    await stopped;
    const { carillon } = await start([implement(task, async () => 'ok')]);
    await clock.advance(SECOND);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', interruptions: 1, failures: 0 });
  });
});
