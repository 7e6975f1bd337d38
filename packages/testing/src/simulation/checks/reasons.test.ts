// Each reason with which a job may end, with the history that justifies it and one that does not.

import { giveUp } from '@carillon/core';
import { expect, test } from 'vitest';
import type { Faults } from '../plan/faults.js';
import { matching } from './matching.js';
import { type Fields, messageOf, Story } from './story.fixture.test.js';

const MINUTE_MS = 60_000;

/** How a job ends after `before`; answers with what the matching says of it. */
function ended(
  fields: Fields,
  before: (story: Story) => void = () => {},
  more: { readonly faults?: Faults; readonly options?: Record<string, unknown> } = {},
): readonly string[] {
  const story = new Story(matching, { faults: more.faults ?? {} });
  const about = { id: 'a', options: more.options ?? {} };
  story.call('schedule', about, { outcome: 'scheduled', id: 'a' }, () => story.write('a'));
  before(story);
  story.settle('a', fields);
  return story.end().map((text) => text.replace(/^I2: a job ended as \w+, but /, ''));
}

function fail(story: Story): void {
  story.grant('a');
  story.attempt('a', 'started');
  story.attempt('a', 'threw');
  story.settle('a', {});
}

const dead = (reason: string, body: object = {}): Fields => ({ state: 'dead', body: { reason, ...body } });

test('exhausted: as many attempts have failed as were counted, and as were asked for', () => {
  const twice = (story: Story): void => {
    fail(story);
    fail(story);
  };
  const asked = { overrides: { attempts: 2 } };
  expect(ended(dead('attempts exhausted', { failures: 2, ...asked }), twice)).toEqual([]);
  expect(ended(dead('attempts exhausted', { failures: 2, ...asked }), fail)).toEqual([
    '2 failures were counted, and 1 attempts have failed',
  ]);
  expect(ended(dead('attempts exhausted', { failures: 1, ...asked }), fail)).toEqual(['2 attempts were asked for']);
});

test('interrupted: it was granted as often', () => {
  const reason = 'interrupted too often';
  expect(ended(dead(reason, { interruptions: 1 }), (story) => story.grant('a'))).toEqual([]);
  expect(ended(dead(reason, { interruptions: 2 }), (story) => story.grant('a'))).toEqual([
    '2 interruptions were counted, and it was granted 1 times',
  ]);
});

test.each(['too old to retry', 'gave up', 'not retried'])('%s: an attempt has failed', (why) => {
  expect(ended(dead(why), fail)).toEqual([]);
  expect(ended(dead(why))).toEqual(['no attempt of it has failed']);
});

test.each(['no such customer', 'unknown customer', 'record lost'])(
  '%s: the handler gave up with these words',
  (why) => {
    for (const moment of ['returned', 'threw'] as const) {
      const gaveUp = (story: Story): void => {
        story.grant('a');
        story.attempt('a', 'started');
        story.attempt('a', moment, { error: giveUp(why) });
      };
      expect(ended(dead(why), gaveUp)).toEqual([]);
      expect(ended(dead('other words'), gaveUp)).toEqual(['"other words" is no reason']);
    }
  },
);

test('malformed message: nothing else was ever seen of it', () => {
  expect(ended(dead('malformed message: not JSON'))).toEqual([]);
  expect(ended(dead('malformed message: not JSON'), fail)).toEqual(['it is a job, whose messages can be read']);
});

test('failed: an attempt of a never-again job has', () => {
  expect(ended(dead('failed', { neverAgain: true }), fail)).toEqual([]);
  expect(ended(dead('failed', { neverAgain: true }))).toEqual(['no attempt of it has failed']);
  expect(ended(dead('failed'), fail)).toEqual(['it is not a never-again job']);
});

test.each(['dead', 'skipped'])('too late, and %s: it was as late as its call allows', (state) => {
  const options = { maxLateness: { of: '1m', then: 'skip' } };
  const late = (lateMs: number): Fields => {
    return { state, body: { reason: 'too late', nominalAt: 0, settledAt: lateMs } };
  };
  expect(ended(late(MINUTE_MS), undefined, { options })).toEqual([]);
  expect(ended(late(MINUTE_MS - 1), undefined, { options })).toEqual(['it was 59s999ms late, and 1m was allowed']);
});

test('unknown: an old version had it for 15 minutes', () => {
  const given = (ms: number): Fields => dead('unknown task', { unknownSince: 0, settledAt: ms });
  const faults = { versions: 0.5 };
  expect(ended(given(15 * MINUTE_MS), undefined, { faults })).toEqual([]);
  expect(ended(given(14 * MINUTE_MS), undefined, { faults })).toEqual(['it was not given back for 15 minutes']);
  expect(ended(given(15 * MINUTE_MS))).toEqual(['no engine ran an old version']);
});

test('a record that nobody lost, what the broker refused, and what nobody could read justify nothing', () => {
  expect(ended(dead('record lost'))).toEqual(['the ledger has lost nothing of it']);
  expect(ended(dead('refused by the broker: it is too large'), fail)).toHaveLength(1);
  expect(ended(dead('unreadable: no JSON'), fail)).toHaveLength(1);
});

test('indeterminate: a never-again job was granted, or its message came twice', () => {
  const one = (reason: string, body: object = {}): Fields => {
    return { state: 'indeterminate', body: { reason, neverAgain: true, ...body } };
  };
  const delivered = (story: Story): void => story.message('delivered', messageOf(story.record('a')!));
  expect(ended(one('interrupted'), (story) => story.grant('a'))).toEqual([]);
  expect(ended(one('interrupted'))).toEqual(['it was never granted']);
  expect(ended({ state: 'indeterminate', body: { reason: 'interrupted' } }, (story) => story.grant('a'))).toEqual([
    'it is not a never-again job',
  ]);
  const twice = (story: Story): void => {
    delivered(story);
    delivered(story);
  };
  expect(ended(one('record lost'), twice)).toEqual([]);
  expect(ended(one('record lost'), delivered)).toEqual(['its message was delivered once']);
});

test('skipped: `unless` said so, and nothing else', () => {
  expect(ended({ state: 'skipped', body: { reason: 'unless' } })).toEqual([]);
  expect(ended({ state: 'skipped', body: { reason: 'bored' } })).toEqual(['"bored" is no reason']);
});

test('cancelled: somebody asked for it, by id or by key', () => {
  const gone: Fields = { state: 'cancelled', body: { reason: 'cancelled', key: 'k' } };
  expect(ended(gone, (story) => story.call('cancel', { id: 'a' }, { outcome: 'running', id: 'a' }))).toEqual([]);
  expect(ended(gone, (story) => story.call('cancel', { key: 'k' }, { outcome: 'running', id: 'a' }))).toEqual([]);
  expect(ended(gone, (story) => story.call('cancel', { id: 'b' }, { outcome: 'unknown' }))).toEqual([
    'nobody asked to cancel it',
  ]);
});

test('replaced: something else was scheduled under its key', () => {
  const gone: Fields = { state: 'cancelled', body: { reason: 'replaced', key: 'k' } };
  const again = (times: number) => (story: Story) => {
    for (let i = 0; i < times; i += 1) story.call('schedule', { key: 'k' }, { outcome: 'kept', id: 'a' });
  };
  expect(ended(gone, again(2))).toEqual([]);
  expect(ended(gone, again(1))).toEqual(['nothing else was scheduled under its key']);
  const repeated = (story: Story) => story.call('schedule', { key: 'k', tries: 2 }, { outcome: 'kept', id: 'a' });
  expect(ended(gone, repeated)).toEqual([]);
});

test('a state that is none is seen', () => {
  expect(ended({ state: 'lost' })).toEqual(['lost is no end']);
});
