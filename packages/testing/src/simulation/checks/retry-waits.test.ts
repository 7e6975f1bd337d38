import { retryAfter, type RetryOptions, type Ruling, snooze } from '@carillon/core';
import { expect, test } from 'vitest';
import { RetryWaits } from './retry-waits.js';
import { Story, T0 } from './story.fixture.test.js';
import { delays } from './delays.js';

interface Case {
  readonly retry?: RetryOptions;
  readonly own?: RetryOptions;
  readonly failures?: number;
  readonly ruling?: Ruling;
  readonly nominalAt?: number;
}

/** The least and the most that a job waits, a minute after its nominal time. */
function wait({ retry, own, failures = 1, ruling, nominalAt = T0 - 60_000 }: Case): readonly [number, number] {
  const waits = new RetryWaits();
  const retries = new Map([['mail', retry]]);
  waits.watch({ at: T0, what: 'host', host: 'engine-1', change: 'started', version: 2, retries });
  const body = { failures, nominalAt, ...(own && { overrides: { retry: own } }) };
  const record = new Story(delays).write('a', { body });
  const { leastMs, mostMs } = waits.of('engine-1', record, ruling, T0);
  return [Math.round(leastMs), Math.round(mostMs)];
}

const linear = { type: 'linear', step: '10s', to: '25s', jitter: 0.5 } as const;
const fixed = { type: 'fixed', delay: '15s' } as const;
const on = (): 'retry' => 'retry';

test.each<[string, Case, readonly [number, number]]>([
  ['by default a second', {}, [900, 1_000]],
  ['twice as long each time', { failures: 4 }, [7_200, 8_000]],
  ['an hour at most', { failures: 1_000 }, [3_240_000, 3_600_000]],
  ['as its task says', { retry: { backoff: linear }, failures: 2 }, [10_000, 20_000]],
  ['up to what its task says', { retry: { backoff: linear }, failures: 9 }, [12_500, 25_000]],
  ['as its own options say', { retry: { backoff: linear }, own: { backoff: fixed } }, [13_500, 15_000]],
  ['as its handler says', { retry: { backoff: linear }, ruling: retryAfter('3s') }, [3_000, 3_000]],
  ['up to the age of its task', { retry: { for: '62s', backoff: linear } }, [2_000, 2_000]],
  ['up to its own age', { retry: { for: '1h' }, own: { for: '70s', backoff: fixed } }, [10_000, 10_000]],
  ['up to its age, whatever its handler says', { retry: { for: '61s' }, ruling: retryAfter('3s') }, [1_000, 1_000]],
  ['as long as it snoozes, at any age', { retry: { for: '61s' }, ruling: snooze('3s') }, [3_000, 3_000]],
])('W1: it waits %s', (_, it, expected) => {
  expect(wait(it)).toEqual(expected);
});

test.each<[string, Case]>([
  ['retry.on', { retry: { on, backoff: fixed } }],
  ['a function', { retry: { backoff: () => '3s' } }],
])('W2: nothing is known where %s decides', (_, it) => {
  expect(wait(it)).toEqual([0, Infinity]);
});
