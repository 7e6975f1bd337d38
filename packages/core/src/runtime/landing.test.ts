import { defineTask, implement } from '@carillon/core';
import { describe, expect, it } from 'vitest';
import { gate, messageStage, MINUTE, SECOND } from './on-both-backends.fixture.test.js';

const task = defineTask<number, string>('work');

describe('landing, on a transport with a precision of a second', () => {
  it('starts every job at its own millisecond: never early, never late (I5)', async () => {
    const { clock, start } = messageStage({ precisionMs: 1000 });
    const lateness: number[] = [];
    const { carillon } = await start([implement(task, (_, { dueAt }) => (lateness.push(clock.now() - +dueAt), 'ok'))]);
    const from = clock.now();
    for (let n = 0; n < 60; n += 1) await carillon.schedule(task, n, { at: new Date(from + 3_000 + n * 137) });
    await clock.advance(MINUTE);
    expect(lateness).toEqual(Array.from({ length: 60 }, () => 0));
  });

  it.each([0, 1, 99, 100, 299, 300, 301, 500, 999])(
    'does so with one message and no hop, at +%d ms (I9)',
    async (ms) => {
      const { clock, start } = messageStage({ precisionMs: 1000 });
      const { carillon, transport, heard } = await start([implement(task, () => 'ok')]);
      await carillon.schedule(task, 1, { at: new Date(clock.now() + MINUTE + ms) });
      await clock.advance(2 * MINUTE);
      expect(heard('job:started').map(({ latenessMs }) => latenessMs)).toEqual([0]);
      expect([heard('job:hopped').length, transport.calls('send')]).toEqual([0, 1]);
    },
  );

  it('a cancel in the last second still counts (V1)', async () => {
    const { clock, start } = messageStage({ precisionMs: 1000 });
    let runs = 0;
    const { carillon } = await start([implement(task, () => `${(runs += 1)}`)]);
    const { id } = await carillon.schedule(task, 1, { in: '1m' });
    await clock.advance(MINUTE - 1);
    expect(await carillon.cancel(task, { id })).toMatchObject({ outcome: 'cancelled' });
    await clock.advance(MINUTE);
    expect(runs).toBe(0);
  });

  it('a reschedule in the last second too, to a later and to an earlier time', async () => {
    const { clock, start } = messageStage({ precisionMs: 1000 });
    const from = clock.now();
    const starts: number[] = [];
    const { carillon } = await start([implement(task, () => (starts.push(clock.now() - from), 'ok'))]);
    const { id } = await carillon.schedule(task, 1, { in: '1m' });
    await clock.advance(MINUTE - 500);
    await carillon.reschedule(task, { id }, { in: '1m' });
    await clock.advance(5 * MINUTE);
    expect(starts).toEqual([2 * MINUTE - 500]);
  });

  it('what is held takes no slot (G1)', async () => {
    const { clock, start } = messageStage({ precisionMs: 1000 });
    const seen: number[] = [];
    const { carillon } = await start([implement(task, (n) => (seen.push(n), 'ok'))], { concurrency: 1 });
    for (let n = 0; n < 10; n += 1) await carillon.schedule(task, n, { in: '5s' });
    await clock.advance(4 * SECOND);
    await carillon.schedule(task, 99);
    await clock.advance(0);
    expect(seen).toEqual([99]);
    await clock.advance(SECOND);
    expect(seen.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 99]);
  });

  it('more than can be held start in time, too (G1)', async () => {
    const { clock, start } = messageStage({ precisionMs: 1000 });
    let done = 0;
    const { carillon, heard } = await start([implement(task, () => `${(done += 1)}`)]);
    const at = new Date(clock.now() + 5_000);
    await carillon.scheduleMany(Array.from({ length: 1200 }, (_, n) => ({ task, payload: n, options: { at } })));
    await clock.advance(5 * SECOND + 200);
    expect(done).toBe(1200);
    expect(new Set(heard('job:started').map(({ latenessMs }) => latenessMs))).toEqual(new Set([0]));
  });

  it('a due job waits for a full engine without losing its lease', async () => {
    const { clock, start } = messageStage({ precisionMs: 1000 });
    const end = gate();
    const { carillon } = await start([implement(task, () => end.opened.then(() => 'ok'))], { concurrency: 1 });
    const first = await carillon.schedule(task, 1, { in: '2s' });
    const second = await carillon.schedule(task, 2, { in: '2s' });
    await clock.advance(5 * MINUTE);
    end.open();
    await clock.advance(SECOND);
    for (const job of [first, second]) {
      expect(await carillon.get(task, job)).toMatchObject({ state: 'done', attemptsBegun: 1, interruptions: 0 });
    }
  });
});
