import { defineTask, implement } from '@carillon/core';
import { testCarillon } from '@carillon/testing';
import { expect, it } from 'vitest';
import { gate, HOUR, MINUTE, onBothBackends, SECOND } from '../runtime/on-both-backends.fixture.test.js';

const a = defineTask<number>('a');
const b = defineTask<number>('b');
const c = defineTask<number>('c', { queue: 'side' });

onBothBackends('pausing', (stage) => {
  const open = async () => {
    const { clock, start, process } = stage();
    const seen: string[] = [];
    const on = [a, b, c].map((task) => implement(task, (n) => void seen.push(`${task.name}${n}`)));
    const { carillon } = await start(on);
    const all = async (n: number): Promise<void> => {
      for (const task of [a, b, c]) await carillon.schedule(task, n);
    };
    return { clock, start, process, seen, on, carillon, all };
  };

  it('a paused task starts nothing, its neighbours go on, and it goes on when it is resumed (I3)', async () => {
    const { clock, seen, carillon, all } = await open();
    await carillon.pause({ task: a });
    await all(1);
    await clock.advance(HOUR);
    expect(seen.toSorted()).toEqual(['b1', 'c1']);
    await carillon.resume({ task: a });
    await clock.advance(10 * SECOND);
    expect(seen.toSorted()).toEqual(['a1', 'b1', 'c1']);
  });

  it('so does a paused queue', async () => {
    const { clock, seen, carillon, all } = await open();
    await carillon.pause({ queue: 'default' });
    await all(1);
    await clock.advance(HOUR);
    expect(seen).toEqual(['c1']);
    await carillon.resume({ queue: 'default' });
    await clock.advance(10 * SECOND);
    expect(seen.toSorted()).toEqual(['a1', 'b1', 'c1']);
  });

  it('a pause burns no attempt, and is no failure', async () => {
    const { clock, carillon } = await open();
    await carillon.pause({ task: a });
    const { id } = await carillon.schedule(a, 1, { attempts: 1 });
    await clock.advance(HOUR);
    await carillon.resume({ task: a });
    await clock.advance(10 * SECOND);
    expect(await carillon.get(a, { id })).toMatchObject({ state: 'done', attemptsBegun: 1, interruptions: 0 });
  });

  it('another process notices within a second, and so does one that starts later (Z1)', async () => {
    const { clock, start, process, seen, on, carillon, all } = await open();
    await process([]).carillon.pause({ task: a });
    await clock.advance(SECOND);
    await all(1);
    await clock.advance(MINUTE);
    expect(seen.toSorted()).toEqual(['b1', 'c1']);
    await carillon.stop();
    await start(on);
    await clock.advance(MINUTE);
    expect(seen.toSorted()).toEqual(['b1', 'c1']);
    await process([]).carillon.resume({ task: a });
    await clock.advance(10 * SECOND);
    expect(seen.toSorted()).toEqual(['a1', 'b1', 'c1']);
  });

  it('running handlers go on', async () => {
    const { clock, start } = stage();
    const end = gate();
    const { carillon, heard } = await start([implement(a, () => end.opened)]);
    await carillon.schedule(a, 1);
    await clock.advance(0);
    await carillon.pause({ task: a });
    await carillon.pause({ queue: 'default' });
    await clock.advance(MINUTE);
    end.open();
    await clock.advance(0);
    expect(heard('job:completed')).toHaveLength(1);
  });

  it('twice is harmless, and so is resuming what is not paused', async () => {
    const { clock, seen, carillon, all } = await open();
    await carillon.pause({ queue: 'side' });
    await carillon.pause({ queue: 'side' });
    await carillon.resume({ queue: 'side' });
    await carillon.resume({ queue: 'side' });
    await carillon.resume({ task: b });
    await all(1);
    await clock.advance(10 * SECOND);
    expect(seen.toSorted()).toEqual(['a1', 'b1', 'c1']);
  });

  it('a paused task does not keep the engine busy (I9)', async () => {
    const { clock, start } = stage();
    const { carillon, ledger } = await start([implement(a, () => {})]);
    await carillon.pause({ task: a });
    await carillon.schedule(a, 1);
    await clock.advance(SECOND);
    const before = ledger.calls('commit');
    await clock.advance(10 * MINUTE);
    expect(ledger.calls('commit') - before).toBeLessThan(500);
  });

  it('cancel and reschedule work on paused jobs', async () => {
    const { clock, carillon, seen } = await open();
    await carillon.pause({ task: a });
    const { id } = await carillon.schedule(a, 1);
    await clock.advance(MINUTE + 2500);
    expect(await carillon.cancel(a, { id })).toEqual({ outcome: 'cancelled', id, attempts: 0 });
    await carillon.resume({ task: a });
    await clock.advance(HOUR);
    expect(seen).toEqual([]);
  });
});

it('a store that can tell tasks apart leaves the backlog of a paused one where it is, and takes it up at once', async () => {
  const ran: number[] = [];
  const app = await testCarillon([implement(a, (n) => void ran.push(n))]);
  let givenBack = 0;
  app.on('job:given-back', () => (givenBack += 1));
  await app.pause({ task: a });
  for (let n = 0; n < 50; n += 1) await app.schedule(a, n);
  await app.advance('1h');
  expect([givenBack, ran.length]).toEqual([0, 0]);
  await app.resume({ task: a });
  await app.advance('1ms');
  expect(ran.length).toBe(50);
  await app.stop();
});
