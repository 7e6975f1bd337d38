import { VirtualClock } from '@carillon/testing';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Ask, type SlotLimits, Slots } from './slots.js';

function setting(limits: { engine: number; queues: Record<string, number>; tasks?: Record<string, number> }) {
  const clock = new VirtualClock();
  const of = (numbers: Record<string, number> = {}): ReadonlyMap<string, number> => new Map(Object.entries(numbers));
  const resolved: SlotLimits = { engine: limits.engine, queues: of(limits.queues), tasks: of(limits.tasks) };
  const slots = new Slots(resolved, clock);
  /** Asks, and shows what has come of it so far. */
  const ask = async (queue: string): Promise<{ ask: Ask | undefined; ended: boolean }> => {
    const asked: { ask: Ask | undefined; ended: boolean } = { ask: undefined, ended: false };
    void slots.ask(queue).then((got) => Object.assign(asked, { ask: got, ended: got === undefined }));
    await clock.advance(0);
    return asked;
  };
  return { clock, slots, ask };
}

describe('Q1: what is asked for and what runs never exceed the limits', () => {
  test.each([
    ['of the engine', { engine: 2, queues: { a: Infinity } }],
    ['of the queue', { engine: 10, queues: { a: 2 } }],
    ['of the task', { engine: 10, queues: { a: 10 }, tasks: { t: 2 } }],
  ])('%s', (_name, limits) => {
    const { slots } = setting(limits);
    expect([slots.take('a', 't'), slots.take('a', 't'), slots.take('a', 't')]).toEqual([true, true, false]);
    expect(slots.running).toBe(2);
    slots.give('a', 't');
    expect(slots.take('a', 't')).toBe(true);
  });

  test('an ask is for all that is free, and for nothing that is taken', async () => {
    const { slots, ask } = setting({ engine: 10, queues: { a: Infinity } });
    for (let n = 0; n < 4; n += 1) slots.take('a', 't');
    expect((await ask('a')).ask?.size).toBe(6);
  });

  test('the queue’s own limit bounds it', async () => {
    const { ask } = setting({ engine: 10, queues: { a: 3 } });
    expect((await ask('a')).ask?.size).toBe(3);
  });

  test('two queues share the engine', async () => {
    const { ask } = setting({ engine: 10, queues: { a: Infinity, b: Infinity } });
    const sizes = [(await ask('a')).ask!.size, (await ask('b')).ask!.size];
    expect(sizes).toEqual([5, 5]);
  });

  test('whatever is asked, taken and given, in any order', async () => {
    const LIMITS = { engine: 5, queues: { a: 4, b: Infinity }, tasks: { t: 2 } };
    const step = fc.tuple(
      fc.constantFrom('ask', 'take', 'give', 'done'),
      fc.constantFrom('a', 'b'),
      fc.constantFrom('t', 'u'),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { clock, slots, ask } = setting(LIMITS);
        const asked: { queue: string; made: Awaited<ReturnType<typeof ask>>; over: boolean }[] = [];
        const running: [string, string][] = [];
        for (const [what, queue, task] of steps) {
          const before = asked.filter(({ made }) => made.ask !== undefined).length;
          if (what === 'ask' && !asked.some((one) => one.queue === queue && !one.over))
            asked.push({ queue, made: await ask(queue), over: false });
          if (what === 'take' && slots.take(queue, task)) running.push([queue, task]);
          if (what === 'give' && running.length > 0) slots.give(...running.shift()!);
          const done = asked.find((one) => one.queue === queue && !one.over && one.made.ask);
          if (what === 'done' && done) {
            done.made.ask!.done();
            done.over = true;
          }
          await clock.advance(0);

          const of = (name: string): number => running.filter(([one]) => one === name).length;
          expect(slots.running).toBe(running.length);
          expect(running.length).toBeLessThanOrEqual(LIMITS.engine);
          expect(of('a')).toBeLessThanOrEqual(LIMITS.queues.a);
          expect(running.filter(([, one]) => one === 't').length).toBeLessThanOrEqual(LIMITS.tasks.t);
          const open = asked.filter(({ made, over }) => made.ask !== undefined && !over);
          const fresh = asked.filter(({ made }) => made.ask !== undefined).length > before;
          const sum = open.reduce((total, { made }) => total + made.ask!.size, 0);
          if (fresh) expect(sum + running.length).toBeLessThanOrEqual(LIMITS.engine);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('Q2: saturation stays where it is', () => {
  test('a saturated task leaves room for its queue, and an ask says how much of it could start', async () => {
    const { slots, ask } = setting({ engine: 10, queues: { a: Infinity }, tasks: { t: 2 } });
    slots.take('a', 't');
    const { ask: got } = await ask('a');
    expect(got!.size).toBe(9);
    expect(got!.room).toEqual(new Map([['t', 1]]));
  });

  test('a slot of a limited task that is given back has the ask made anew', async () => {
    const { slots, ask } = setting({ engine: 10, queues: { a: Infinity, b: Infinity }, tasks: { t: 1 } });
    slots.take('a', 't');
    const [own, other] = [await ask('a'), await ask('b')];
    slots.give('a', 't');
    expect([own.ask!.signal.aborted, other.ask!.signal.aborted]).toEqual([true, false]);
  });

  test('an idle ask gives up its share as soon as another queue is short of it', async () => {
    const { clock, slots, ask } = setting({ engine: 2, queues: { a: Infinity, b: Infinity } });
    slots.take('b', 't');
    slots.take('b', 't');
    const idle = await ask('a');
    const short = await ask('b');
    expect([idle.ask, short.ask]).toEqual([undefined, undefined]);
    slots.give('b', 't');
    await clock.advance(0);
    const first = idle.ask ? idle : short;
    const second = idle.ask ? short : idle;
    expect([first.ask!.size, second.ask]).toEqual([1, undefined]);
    await clock.advance(1_000); // its turn comes
    expect(first.ask!.signal.aborted).toBe(true);
    first.ask!.done();
    await clock.advance(0);
    expect(second.ask!.size).toBe(1);
  });
});

describe('waiting', () => {
  test('an ask is made when a slot is free again', async () => {
    const { clock, slots, ask } = setting({ engine: 1, queues: { a: Infinity } });
    slots.take('a', 't');
    const waiting = await ask('a');
    expect(waiting.ask).toBeUndefined();
    slots.give('a', 't');
    await clock.advance(0);
    expect(waiting.ask?.size).toBe(1);
  });

  test('renew has every ask made anew', async () => {
    const { slots, ask } = setting({ engine: 4, queues: { a: Infinity, b: Infinity } });
    const asks = [await ask('a'), await ask('b')];
    slots.renew();
    expect(asks.map((one) => one.ask!.signal.aborted)).toEqual([true, true]);
  });

  test('close ends every wait and every ask, for good', async () => {
    const { clock, slots, ask } = setting({ engine: 1, queues: { a: Infinity, b: Infinity } });
    const open = await ask('a');
    const waiting = await ask('b');
    slots.close();
    await clock.advance(0);
    expect([open.ask!.signal.aborted, waiting.ended]).toEqual([true, true]);
    expect((await ask('a')).ended).toBe(true);
    expect(clock.pending).toBe(0);
  });
});
