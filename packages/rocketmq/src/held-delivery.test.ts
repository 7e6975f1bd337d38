import { expect, it } from 'vitest';
import { HeldDelivery, type Keeper } from './held-delivery.js';

const LEASE_MS = [10_000, 43_200_000] as const;

/** A delivery whose keeper gives a new handle with each change, when the test lets it. */
function setUp(change?: Keeper['change']) {
  const calls: string[] = [];
  const forgotten: HeldDelivery[] = [];
  const gates: (() => void)[] = [];
  let handles = 1;
  const keeper: Keeper = {
    leaseMs: LEASE_MS,
    acks: {
      ack: async ({ handle }) => {
        calls.push(`ack ${handle}`);
        return 'ok';
      },
    },
    change:
      change ??
      (async ({ handle }, ms, uncounted) => {
        calls.push(`${uncounted ? 'put back' : 'change'} ${handle} ${ms}`);
        await new Promise<void>((resolve) => void gates.push(resolve));
        handles += 1;
        return { handle: `h${handles}` };
      }),
    forget: (delivery) => void forgotten.push(delivery),
  };
  const body = Uint8Array.of(1);
  const delivery = new HeldDelivery(keeper, { queue: 'q', body, attempt: 1, messageId: 'm', handle: 'h1' });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return { delivery, calls, gates, forgotten, turn };
}

it('D1: calls go one after the other, each with the receipt that the one before it brought', async () => {
  const { delivery, calls, gates, turn } = setUp();
  const extended = delivery.extend(20_000);
  const acked = delivery.ack();
  await turn();
  expect(calls).toEqual(['change h1 20000']);
  gates[0]!();
  expect(await Promise.all([extended, acked])).toEqual(['ok', 'ok']);
  expect(calls).toEqual(['change h1 20000', 'ack h2']);
});

it('D2: what is acknowledged has no say any more', async () => {
  const { delivery, calls, forgotten } = setUp();
  expect(await delivery.ack()).toBe('ok');
  expect(forgotten).toEqual([delivery]);
  expect(await Promise.all([delivery.ack(), delivery.extend(10_000), delivery.release(0)])).toEqual([
    'lost',
    'lost',
    'lost',
  ]);
  expect(calls).toEqual(['ack h1']);
});

it('D2: nor has what was given back, or is lost', async () => {
  const { delivery, gates, turn } = setUp();
  const released = delivery.release(5_000);
  await turn();
  gates[0]!();
  expect([await released, await delivery.ack()]).toEqual(['ok', 'lost']);

  const lost = setUp(async () => 'lost');
  expect([await lost.delivery.extend(10_000), await lost.delivery.ack()]).toEqual(['lost', 'lost']);
  expect(lost.calls).toEqual([]);
});

it('a call that fails ends nothing: the next one tries', async () => {
  let fails = true;
  const { delivery, calls } = setUp(async () => {
    if (!fails) return { handle: 'h2' };
    fails = false;
    throw new Error('cut');
  });
  await expect(delivery.release(0)).rejects.toThrow('cut');
  expect(await delivery.extend(10_000)).toBe('ok');
  expect(await delivery.ack()).toBe('ok');
  expect(calls).toEqual(['ack h2']);
});

it('gives back within the limits of the broker, and uncounted what was never handed over', async () => {
  const first = setUp();
  void first.delivery.release(10 * 43_200_000);
  const second = setUp();
  void second.delivery.putBack();
  await first.turn();
  expect([...first.calls, ...second.calls]).toEqual(['change h1 43200000', 'put back h1 0']);
});

it.each([9_999, 43_200_001, Number.NaN])('takes no lease of %d ms', async (ms) => {
  await expect(setUp().delivery.extend(ms)).rejects.toThrow('[E_OPTIONS]');
});

it('D3: is kept by nobody if its end can not be told, and may be told again', async () => {
  const answers: ('out of reach' | 'lost')[] = ['out of reach', 'out of reach', 'lost'];
  const { delivery, forgotten } = setUp(async () => {
    const answer = answers.shift();
    if (answer === 'lost') return answer;
    throw new Error(answer);
  });
  await expect(delivery.extend(10_000)).rejects.toThrow('out of reach');
  expect(forgotten).toEqual([]);
  await expect(delivery.release(0)).rejects.toThrow('out of reach');
  expect(forgotten).toEqual([delivery]);
  expect(await delivery.release(0)).toBe('lost');
});
