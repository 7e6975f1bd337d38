import { retryAfter, snooze } from '@carillon/core';
import { describe, expect, test } from 'vitest';
import { delays } from './delays.js';
import { messageOf, Story, T0 } from './story.fixture.test.js';

const MINUTE = 60_000;
const started = (host: string) =>
  ({ what: 'host', host, change: 'started', version: 2, retries: new Map([['mail', undefined]]) }) as const;

/** A story in which the shop and an engine have just started. */
function story(): Story {
  const told = new Story(delays);
  for (const host of ['shop', 'engine-1']) told.tell(started(host));
  return told;
}

/** What is found if an attempt ends, with this error if any, and is noted with these times. */
async function noted(
  { offMs = 0, dueInMs = 1_000, outcome = 'failed', error = new Error('no') as unknown },
  before: (told: Story) => void = () => {},
): Promise<readonly string[]> {
  const told = story();
  told.write('a');
  told.grant('a');
  before(told);
  told.attempt('a', 'started');
  await told.pass(MINUTE);
  told.attempt('a', outcome === 'done' ? 'returned' : 'threw', { error });
  const attempts = [['engine-1.1', T0, MINUTE + offMs, outcome]];
  const state = outcome === 'done' ? { state: 'done' } : {};
  told.settle('a', { ...state, dueAt: told.now + dueInMs, body: { starts: 1, attempts } });
  return told.end();
}

describe('D1: a job that is asked for in a while', () => {
  const asked = (dueInMs: number, outcome = 'scheduled', onClaim = false): readonly string[] => {
    const told = story();
    told.call('schedule', { id: 'a', options: { in: '30s' } }, { outcome, id: 'a' }, () => {
      const record = { dueAt: told.now + dueInMs };
      if (onClaim)
        told.message(
          'stored',
          messageOf({ ...told.write('b'), key: { kind: 'job', id: 'a', partition: '00' }, ...record }, { onClaim }),
          'shop',
        );
      else told.write('a', record, 'shop');
    });
    return told.end();
  };

  test('is due when the while is over', () => {
    expect(asked(30_000)).toEqual([]);
    expect(asked(30_000, 'sent', true)).toEqual([]);
  });

  test('is seen if it is due earlier or later, with a record or without one', () => {
    expect(asked(29_900)).toEqual(['I5: a job is due 100ms before its delay is over']);
    expect(asked(30_100)).toEqual(['I5: a job is due 100ms after its delay is over']);
    expect(asked(0, 'sent', true)).toEqual(['I5: a job is due 30s before its delay is over']);
  });

  test('is not held to a record of an earlier call', async () => {
    const told = story();
    told.write('a', { dueAt: T0 + 30_000 });
    await told.pass(MINUTE);
    told.call('schedule', { id: 'a', options: { in: '30s' } }, { outcome: 'scheduled', id: 'a' });
    expect(told.end()).toEqual([]);
  });
});

describe('D2: the end of an attempt', () => {
  test('is noted by the clock of the ledger', async () => {
    expect(await noted({})).toEqual([]);
    expect(await noted({ outcome: 'done', error: undefined })).toEqual([]);
    expect(await noted({ offMs: -200 })).toEqual([
      "I5: the end of an attempt was noted 200ms before the ledger's clock showed it",
    ]);
    expect(await noted({ offMs: 200, outcome: 'done', error: undefined })).toHaveLength(1);
  });

  test('that is not of its handler tells nothing', async () => {
    expect(await noted({ offMs: 5_000, outcome: 'timed-out' })).toEqual([]);
  });
});

describe('D3: a job waits for its next attempt', () => {
  const error = snooze('10s');
  test('as long as its handler says', async () => {
    expect(await noted({ error, outcome: 'snoozed', dueInMs: 10_000 })).toEqual([]);
    expect(await noted({ error, outcome: 'snoozed', dueInMs: 9_000 })).toHaveLength(1);
    expect(await noted({ error, outcome: 'snoozed', dueInMs: 11_000 })).toHaveLength(1);
    expect(await noted({ error: retryAfter('10s'), dueInMs: 10_000 })).toEqual([]);
    expect(await noted({ error: retryAfter('10s'), dueInMs: 9_000 })).toHaveLength(1);
    expect(await noted({ error: retryAfter('10s'), dueInMs: 11_000 })).toHaveLength(1);
  });

  test('else as its backoff does', async () => {
    expect(await noted({ dueInMs: 950 })).toEqual([]);
    expect(await noted({ dueInMs: 0 })).toEqual([
      'I5: a job is due 0 ms after its attempt, and is to wait 900 to 1000',
    ]);
  });

  test('unless there is a wish', async () => {
    const wish = { want: 'reschedule', due: { at: T0 } };
    const wished = (told: Story): void => void told.write('a', { body: { wish } });
    expect(await noted({ error, outcome: 'snoozed', dueInMs: 0 }, wished)).toEqual([]);
  });
});

test('D4: a host is allowed what it can not know better', async () => {
  const slow = { what: 'fault', host: 'engine-1', fault: 'slow', about: 'now' } as const;
  expect(await noted({ offMs: 19_000 }, (told) => told.tell(slow))).toEqual([]);
  expect(await noted({ offMs: 21_000 }, (told) => told.tell(slow))).toHaveLength(1);
});

test.each([
  [true, 0],
  [false, 1],
])(
  'D4: a call is allowed what the process could not know that has begun it and died of it (slow: %s)',
  (slow, found) => {
    const told = story();
    if (slow) told.tell({ what: 'fault', host: 'shop', fault: 'slow', about: 'now' });
    told.call('schedule', { id: 'a', options: { in: '30s' } }, { outcome: 'scheduled', id: 'a' }, () => {
      told.write('a', { dueAt: told.now + 35_000 }, 'shop');
      told.tell(started('shop'));
    });
    expect(told.end()).toHaveLength(found);
  },
);
