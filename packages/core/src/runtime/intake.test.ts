import { Carillon, defineTask, implement, silentLogger } from '@carillon/core';
import { memory, VirtualClock } from '@carillon/testing';
import { describe, expect, it } from 'vitest';

const task = defineTask<number>('work');
const BATCH = 48;
const SMALL = 32;

/** A broker of coarse precision that hands over a batch at once, as RocketMQ does, and what it is asked for. */
async function stage(concurrency = 64) {
  const clock = new VirtualClock();
  const store = memory({ clock, limits: { precisionMs: 1_000 } });
  const asked: { readonly at: number; readonly max: number; readonly came: number }[] = [];
  const { transport } = store;
  const receive = transport.receive.bind(transport);
  transport.receive = async (request) => {
    const deliveries = await receive({ ...request, max: Math.min(request.max, BATCH) });
    asked.push({ at: clock.now(), max: request.max, came: deliveries.length });
    for (const delivery of deliveries) {
      const release = delivery.release.bind(delivery);
      delivery.release = (afterMs) => {
        released.push(afterMs);
        return release(afterMs);
      };
    }
    return deliveries;
  };
  const released: number[] = [];
  const lateness: number[] = [];
  const handler = implement(task, (_, { dueAt }) => void lateness.push(clock.now() - +dueAt));
  const backend = { transport, ledger: store.ledger };
  const carillon = new Carillon({ backend, tasks: [handler], clock, concurrency, logger: silentLogger });
  await carillon.start();
  const schedule = async (count: number, at: number): Promise<void> => {
    const calls = Array.from({ length: count }, (_, n) => ({ task, payload: n, options: { at: new Date(at) } }));
    await carillon.scheduleMany(calls);
  };
  return { clock, carillon, asked, released, lateness, schedule };
}

describe('A1', () => {
  it('what is due in a while is taken in small batches with a rest between them, and in time', async () => {
    const { clock, carillon, asked, lateness, schedule } = await stage();
    const count = BATCH + 4 * SMALL;
    await schedule(count, clock.now() + 10_000);
    await clock.advance(15_000);
    expect(asked.map(({ max }) => max === SMALL)).toEqual([false, true, true, true, true]);
    const rests = asked.slice(1).map(({ at }, index) => at - asked[index]!.at);
    expect(rests).toEqual([20, 20, 20, 20]);
    expect(lateness).toEqual(Array.from({ length: count }, () => 0));
    await carillon.stop();
  });

  it('what is due is taken at once, also if what came with it is not', async () => {
    const { clock, carillon, asked, lateness, schedule } = await stage();
    const from = clock.now();
    await schedule(8, from);
    await schedule(80, from + 2_000);
    await clock.advance(0);
    expect(asked.map(({ at, came }) => [at - from, came])).toEqual([
      [0, BATCH],
      [0, 40],
    ]);
    expect(lateness).toHaveLength(8);
    await carillon.stop();
  });

  it('a stop waits for no rest', async () => {
    const { clock, carillon, asked, schedule } = await stage();
    await schedule(2 * BATCH, clock.now() + 2_000);
    await clock.advance(0);
    expect(asked).toHaveLength(1);
    await carillon.stop();
  });
});

it('more than can be held wait in their slots, and the rest at the broker: nothing is given back', async () => {
  const { clock, carillon, asked, released, lateness, schedule } = await stage(100);
  await schedule(1_300, clock.now() + 60_000);
  await clock.advance(60_000 - 1);
  expect(asked.reduce((sum, { came }) => sum + came, 0)).toBe(1_000 + 100);
  await clock.advance(10_000);
  expect(lateness).toHaveLength(1_300);
  expect(released).toEqual([]);
  await carillon.stop();
});
