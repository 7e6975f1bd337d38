import { expect, test } from 'vitest';
import { completions } from './completions.js';
import { Story } from './story.fixture.test.js';

function granted(): Story {
  const story = new Story(completions);
  story.write('a');
  story.grant('a');
  return story;
}

test('a job that is attempted, retried and done is in order', async () => {
  const story = granted();
  story.attempt('a', 'started');
  story.attempt('a', 'threw');
  story.settle('a', { body: { starts: 1, failures: 1 } });
  await story.pass(1000);
  story.complete('a');
  expect(story.end()).toEqual([]);
});

test('C1: a second completion is seen, also after the record was made anew', () => {
  const story = granted();
  story.attempt('a', 'started');
  story.attempt('a', 'returned');
  story.settle('a', { state: 'done' });
  story.write('a', { state: 'scheduled' });
  story.settle('a', { state: 'done' });
  expect(story.found).toEqual(['I2: a job that was done became scheduled', 'I2: a job was completed a second time']);
});

test('C1: a grant of a job that is done is seen', () => {
  const story = new Story(completions);
  story.write('a');
  story.complete('a');
  story.grant('a');
  expect(story.found).toEqual(['I2: a job that is done was granted']);
});

test('C1: the removal of a job is seen', () => {
  const story = granted();
  story.servers.ledger.records.remove(story.record('a')!.key, 'nonce');
  expect(story.found).toEqual(['I2: the record of a job was removed']);
});

test('C2: a completion by an attempt that did not return is seen', () => {
  const story = granted();
  story.attempt('a', 'started');
  story.settle('a', { state: 'done' });
  expect(story.found).toEqual([expect.stringContaining('whose attempt has not returned')]);
});

test('C2: a lease that somebody else resolves is seen', () => {
  const story = granted();
  story.settle('a', {}, 'engine-2');
  expect(story.found).toEqual(['I2: engine-2 resolved a lease that engine-1.1 held']);
});

test('C3: two starts under one fence, and a start under none, are seen', () => {
  const story = granted();
  story.attempt('a', 'started');
  story.attempt('a', 'started');
  story.attempt('a', 'started', { fence: 7 });
  expect(story.found).toEqual([
    expect.stringContaining('started twice'),
    expect.stringContaining('which was not granted'),
  ]);
});

test('C4: an outcome that is recorded without the lease is seen', () => {
  const story = granted();
  story.settle('a', { body: { starts: 1 } });
  story.write('a', { body: { starts: 2 } });
  expect(story.found).toEqual(['I2: the end of an attempt was recorded without holding the job']);
});

test('a job of which the ledger forgot a write is exempt', () => {
  const story = granted();
  story.forget('a');
  story.settle('a', { state: 'done' });
  story.attempt('a', 'started', { fence: 7 });
  expect(story.end()).toEqual([]);
});
