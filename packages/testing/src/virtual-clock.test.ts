import { describe, expect, it } from 'vitest';
import { VirtualClock } from './virtual-clock.js';

describe('VirtualClock', () => {
  it('V1: fires timers in time order, ties in order of setting, each at its own instant', async () => {
    const clock = new VirtualClock(1000);
    const fired: [string, number][] = [];
    const set = (name: string, delayMs: number) => clock.after(delayMs, () => fired.push([name, clock.now()]));
    set('c', 20);
    set('a', 10);
    set('b', 10);
    set('far', 60 * 86_400_000);
    await clock.advance(20);
    expect(fired).toEqual([
      ['a', 1010],
      ['b', 1010],
      ['c', 1020],
    ]);
    expect(clock.now()).toBe(1020);
    expect(clock.monotonic()).toBe(20);
    expect(clock.pending).toBe(1);
    expect(clock.nextAt).toBe(1000 + 60 * 86_400_000);
  });

  it('V2: lets async code run between timers as if time passed', async () => {
    const clock = new VirtualClock(0);
    const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));
    const seen: string[] = [];
    const run = async (name: string, ms: number) => {
      for (let turn = 0; turn < 3; turn += 1) {
        await sleep(ms);
        await new Promise((resolve) => setImmediate(resolve));
        await Promise.resolve();
        seen.push(`${name}@${clock.now()}`);
      }
    };
    const both = Promise.all([run('slow', 30), run('fast', 20)]);
    await clock.advance(100);
    await both;
    expect(seen).toEqual(['fast@20', 'slow@30', 'fast@40', 'slow@60', 'fast@60', 'slow@90']);
  });

  it('V3: fires timers that are set meanwhile, if they fall into the span', async () => {
    const clock = new VirtualClock(0);
    const fired: number[] = [];
    const tick = () => {
      fired.push(clock.now());
      clock.after(10, tick);
    };
    clock.after(10, tick);
    await clock.advance(35);
    expect(fired).toEqual([10, 20, 30]);
    await clock.advance(5);
    expect(fired).toEqual([10, 20, 30, 40]);
  });

  it('forgets a cancelled timer', async () => {
    const clock = new VirtualClock(0);
    let fired = false;
    const timer = clock.after(10, () => (fired = true));
    timer.cancel();
    timer.cancel();
    expect(clock.pending).toBe(0);
    await clock.advance(10);
    expect(fired).toBe(false);
  });

  it('lets overlapping advances follow one another', async () => {
    const clock = new VirtualClock(0);
    await Promise.all([clock.advance(10), clock.advance(5)]);
    expect(clock.now()).toBe(15);
  });

  it('rejects with what a callback throws, and goes on', async () => {
    const clock = new VirtualClock(0);
    clock.after(5, () => {
      throw new Error('from the callback');
    });
    await expect(clock.advance(10)).rejects.toThrow('from the callback');
    await clock.advance(10);
    expect(clock.now()).toBe(15);
    expect(() => clock.advance(-1)).toThrow(RangeError);
  });
});
