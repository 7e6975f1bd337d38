import { expect, test } from 'vitest';
import { setAside } from './set-aside.js';
import { Story } from './story.fixture.test.js';

const loss = (id: string) =>
  ({ what: 'event', host: 'engine-1', event: 'ledger:loss', data: { id, task: 'mail' } }) as const;

test('dead jobs with their reason, redriven ones, and lost ones with a record are in order', () => {
  const story = new Story(setAside);
  story.write('a', { state: 'dead', body: { reason: 'gave up' } });
  story.write('b', { state: 'indeterminate', body: { reason: 'interrupted' } });
  story.write('b', { state: 'scheduled' });
  story.tell(loss('c'));
  story.write('c', { state: 'dead', body: { reason: 'record lost' } });
  expect(story.end()).toEqual([]);
});

test('S1: one without a reason is seen', () => {
  const story = new Story(setAside);
  story.write('a', { state: 'dead' });
  expect(story.found).toEqual(['I8: a job is dead without a reason']);
});

test('S1: one that is not listed at the end is seen', () => {
  const story = new Story(setAside);
  story.write('a', { state: 'dead', body: { reason: 'gave up' } });
  Object.assign(story.servers.ledger.records, { kind: () => [] });
  expect(story.end()).toEqual(['I8: a job that is dead is not listed so']);
});

test('S2: a loss that was reported and left no record is seen, unless the process died', () => {
  const story = new Story(setAside);
  story.tell(loss('a'));
  story.tell({ what: 'host', host: 'engine-1', change: 'crashed', version: 2 });
  expect(story.end()).toEqual([]);
  story.tell(loss('b'));
  expect(story.end()).toEqual([expect.stringContaining('there is no record of it')]);
});

test('a job of which the ledger forgot a write is exempt', () => {
  const story = new Story(setAside);
  story.write('a', { state: 'dead', body: { reason: 'gave up' } });
  Object.assign(story.servers.ledger.records, { kind: () => [] });
  story.forget('a');
  story.tell(loss('b'));
  story.forget('b');
  expect(story.end()).toEqual([]);
});
