import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock, systemIds, systemRandom } from './clock.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');
const DAY_MS = 86_400_000;

describe('systemClock.after', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'Date'], now: NOW });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([0, 1, 1_000, 2 ** 31 - 1, 2 ** 31, 30 * DAY_MS, 400 * DAY_MS])(
    '%d ms: then, once, and not before',
    (ms) => {
      const wake = vi.fn<() => void>();
      systemClock.after(ms, wake);
      if (ms > 0) {
        vi.advanceTimersByTime(ms - 1);
        expect(wake).not.toHaveBeenCalled();
      }
      vi.advanceTimersByTime(1);
      expect(wake).toHaveBeenCalledTimes(1);
      vi.advanceTimersByTime(400 * DAY_MS);
      expect(wake).toHaveBeenCalledTimes(1);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test('a part of a millisecond is waited for, a time in the past is now', () => {
    const wake = vi.fn<() => void>();
    systemClock.after(0.2, wake);
    systemClock.after(-5, wake);
    vi.advanceTimersByTime(0);
    expect(wake).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledTimes(2);
  });

  test.each([1_000, 60 * DAY_MS])('a cancelled timer of %d ms never fires, whenever it is cancelled', (ms) => {
    for (const share of [0, 0.5, 0.999]) {
      const wake = vi.fn<() => void>();
      const timer = systemClock.after(ms, wake);
      vi.advanceTimersByTime(Math.floor(ms * share));
      timer.cancel();
      timer.cancel();
      vi.advanceTimersByTime(ms);
      expect(wake).not.toHaveBeenCalled();
      expect(vi.getTimerCount()).toBe(0);
    }
  });

  test('cancelling after the fact is harmless', () => {
    const timer = systemClock.after(5, () => {});
    vi.advanceTimersByTime(5);
    timer.cancel();
  });

  test('for ever is not now', () => {
    const wake = vi.fn<() => void>();
    const timer = systemClock.after(Infinity, wake);
    vi.advanceTimersByTime(400 * DAY_MS);
    expect(wake).not.toHaveBeenCalled();
    timer.cancel();
  });

  test('a wall clock that is set back or forth does not move it', () => {
    const wake = vi.fn<() => void>();
    systemClock.after(1_000, wake);
    vi.setSystemTime(NOW + DAY_MS);
    vi.advanceTimersByTime(999);
    expect(wake).not.toHaveBeenCalled();
    vi.setSystemTime(NOW - DAY_MS);
    vi.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledTimes(1);
  });

  test('now and monotonic', () => {
    const before = systemClock.monotonic();
    expect(systemClock.now()).toBe(NOW);
    vi.setSystemTime(NOW - 5);
    expect(systemClock.now()).toBe(NOW - 5);
    vi.advanceTimersByTime(7);
    expect(systemClock.monotonic() - before).toBe(7);
  });
});

test('soon comes after everything that is ready now', async () => {
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    systemClock.soon(() => {
      order.push('soon');
      resolve();
    });
    void Promise.resolve()
      .then(() => order.push('a promise'))
      .then(() => order.push('and the next'));
    order.push('now');
  });
  expect(order).toEqual(['now', 'a promise', 'and the next', 'soon']);
});

test('systemRandom draws from [0, 1)', () => {
  for (let draw = 0; draw < 1_000; draw += 1) {
    const number = systemRandom.next();
    expect(number >= 0 && number < 1).toBe(true);
  }
});

describe('systemIds', () => {
  test('job ids are 20 characters that fit into a URL', () => {
    expect(systemIds().job()).toMatch(/^[0-9a-z]{20}$/);
  });

  test('they grow and differ, in a burst of one millisecond', () => {
    const ids = systemIds({ now: () => NOW });
    const burst = Array.from({ length: 20_000 }, () => ids.job());
    expect(new Set(burst).size).toBe(burst.length);
    expect(burst).toEqual(burst.toSorted());
  });

  test('they grow and differ, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 2, maxLength: 100 }), (offsets) => {
        const times = offsets.map((offset) => NOW + offset)[Symbol.iterator]();
        const ids = systemIds({ now: () => times.next().value ?? NOW });
        const minted = offsets.map(() => ids.job());
        expect(minted).toEqual([...new Set(minted)].toSorted());
      }),
    );
  });

  test('a clock that goes back a day, and comes again', () => {
    let now = NOW;
    const ids = systemIds({ now: () => now });
    const first = ids.job();
    now -= DAY_MS;
    const second = ids.job();
    now += DAY_MS;
    const third = ids.job();
    now += 1;
    const minted = [first, second, third, ids.job()];
    expect(minted).toEqual([...new Set(minted)].toSorted());
  });

  test('they sort by the time of their minting, also across years', () => {
    const times = [0, 1, 1_000, NOW, NOW + 1, NOW + 365 * DAY_MS, 8.64e15];
    const minted = times.map((time) => systemIds({ now: () => time }).job());
    expect(minted).toEqual(minted.toSorted());
  });

  test('two processes of one millisecond do not meet', () => {
    const minted = Array.from({ length: 2_000 }, () => systemIds({ now: () => NOW }).job());
    expect(new Set(minted).size).toBe(minted.length);
  });

  test('nonces are short and differ', () => {
    const ids = systemIds();
    const nonces = Array.from({ length: 10_000 }, () => ids.nonce());
    expect(new Set(nonces).size).toBe(nonces.length);
    for (const nonce of nonces) expect(nonce).toMatch(/^[0-9a-z]{9,13}$/);
  });
});
