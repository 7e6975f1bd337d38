import { memory, VirtualClock } from '@carillon/testing';
import { describe, expect, test } from 'vitest';
import type { Delivery } from '../ports/transport.js';
import { silentLogger } from '../task/logger.js';
import { Availability } from './availability.js';
import { Events } from './events.js';
import { Heartbeat } from './heartbeat.js';
import { Landing } from './landing.js';
import { LedgerTime } from './ledger-time.js';

const LEASE_MS = 30_000;

function setting(capacity = 10): { clock: VirtualClock; landing: Landing } {
  const clock = new VirtualClock();
  const { ledger } = memory({ clock });
  const log = silentLogger;
  const random = { next: (): number => 0.5 };
  const probe = (): Promise<unknown> => ledger.now();
  const availability = new Availability({ clock, random, log, events: new Events(log), probe });
  const heartbeat = new Heartbeat({ clock, ledger, availability, leaseMs: LEASE_MS });
  const time = new LedgerTime(clock, ledger, () => {});
  return { clock, landing: new Landing({ clock, time, heartbeat, capacity }) };
}

/** A delivery that counts how often it was extended; `lost` once its broker has given it to somebody else. */
function delivery(): Delivery & { extended: number; lost: boolean } {
  const ok = async (): Promise<'ok'> => 'ok';
  return {
    queue: 'default',
    body: new Uint8Array(),
    attempt: 1,
    extended: 0,
    lost: false,
    ack: ok,
    release: ok,
    async extend() {
      this.extended += 1;
      return this.lost ? 'lost' : 'ok';
    },
  };
}

/** What a promise has come to so far. */
function watch(promise: Promise<boolean>): { answer: boolean | undefined } {
  const watched: { answer: boolean | undefined } = { answer: undefined };
  void promise.then((answer) => (watched.answer = answer));
  return watched;
}

describe('G2: nothing is let go before its time', () => {
  test.each([1, 20, 1_999])('%d ms: at its exact millisecond', async (ms) => {
    const { clock, landing } = setting();
    const held = watch(landing.hold(delivery(), clock.now() + ms));
    await clock.advance(ms - 1);
    expect(held.answer).toBeUndefined();
    await clock.advance(1);
    expect(held.answer).toBe(true);
  });

  test('what is due goes at once', async () => {
    const { clock, landing } = setting();
    expect(await landing.hold(delivery(), clock.now() - 5)).toBe(true);
  });
});

describe('G1: what is held keeps its lease, and there is a cap', () => {
  test('beyond it there is no room, and what is held all the same is let go in time', async () => {
    const { clock, landing } = setting(2);
    const due = clock.now() + 1_000;
    const hold = (): { answer: boolean | undefined } => watch(landing.hold(delivery(), due));
    const held = [hold(), hold()];
    expect(landing.room).toBe(0);
    held.push(hold());
    expect(landing.room).toBe(0);
    await clock.advance(1_000);
    expect(held.map(({ answer }) => answer)).toEqual([true, true, true]);
    expect(landing.room).toBe(2);
  });

  test('it is extended while it waits, and no longer', async () => {
    const { clock, landing } = setting();
    const one = delivery();
    const held = watch(landing.hold(one, clock.now() + 10 * LEASE_MS));
    await clock.advance(9 * LEASE_MS);
    expect(one.extended).toBeGreaterThanOrEqual(18);
    await clock.advance(LEASE_MS);
    expect(held.answer).toBe(true);
    const { extended } = one;
    await clock.advance(10 * LEASE_MS);
    expect(one.extended).toBe(extended);
    expect(clock.pending).toBe(0);
  });

  test('what was lost meanwhile is not let go', async () => {
    const { clock, landing } = setting();
    const one = delivery();
    const held = watch(landing.hold(one, clock.now() + 10 * LEASE_MS));
    await clock.advance(LEASE_MS);
    one.lost = true;
    await clock.advance(20 * LEASE_MS);
    expect(held.answer).toBe(false);
    expect(landing.room).toBe(10);
  });
});

test('at a stop everything is given back, and nothing is held any more', async () => {
  const { clock, landing } = setting();
  const held = watch(landing.hold(delivery(), clock.now() + 1_000));
  await clock.advance(5);
  landing.close();
  await clock.advance(0);
  expect(held.answer).toBe(false);
  expect(landing.room).toBe(0);
  expect(await landing.hold(delivery(), clock.now() + 5)).toBe(false);
});
