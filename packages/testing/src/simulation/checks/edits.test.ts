import { expect, test } from 'vitest';
import { edits } from './edits.js';
import { Story } from './story.fixture.test.js';

test('an edit before the grant, and one that waits for the attempt, are in order', async () => {
  const story = new Story(edits);
  story.write('a');
  await story.pass(10);
  story.write('a', { generation: story.now * 1000 });
  story.grant('a');
  story.attempt('a', 'started');
  const due = { at: story.now + 5_000 };
  story.write('a', { body: { wish: { want: 'reschedule', due } } });
  story.settle('a', { dueAt: due.at, body: { starts: 1 } });
  await story.pass(5_000);
  story.grant('a');
  story.attempt('a', 'started');
  story.write('a', { body: { wish: { want: 'cancel', reason: 'cancelled' } } });
  story.settle('a', { state: 'cancelled', body: {} });
  expect(story.end()).toEqual([]);
});

test('D1: a start of what was cancelled, and one of an older generation, are seen', async () => {
  const story = new Story(edits);
  story.write('a');
  story.grant('a');
  await story.pass(10);
  story.settle('a', { state: 'cancelled' }, 'shop');
  story.attempt('a', 'started');
  story.write('b');
  story.grant('b');
  await story.pass(10);
  story.settle('b', { generation: story.now * 1000 }, 'shop');
  story.attempt('b', 'started');
  expect(story.found).toEqual([
    'I10: an attempt started of a job that was cancelled',
    'I10: an attempt started of a generation that was edited',
  ]);
});

test('D2: a start against a wish is seen', () => {
  const story = new Story(edits);
  story.write('a', { body: { wish: { want: 'cancel', reason: 'cancelled' } } });
  story.grant('a');
  story.attempt('a', 'started');
  story.write('b', { body: { wish: { want: 'reschedule', due: { at: story.now + 1 } } } });
  story.grant('b');
  story.attempt('b', 'started');
  expect(story.found).toEqual([
    expect.stringContaining('against the wish to cancel'),
    expect.stringContaining('before the time that was wished for'),
  ]);
});

test('D3: wishes that a holder drops are seen', () => {
  const story = new Story(edits);
  for (const [id, wish] of [
    ['a', { want: 'cancel', reason: 'cancelled' }],
    ['b', { want: 'reschedule', due: { at: story.now + 5_000 } }],
  ] as const) {
    story.write(id);
    story.grant(id);
    story.write(id, { body: { wish } }, 'shop');
    story.settle(id, { dueAt: story.now + 1_000, body: { starts: 1 } });
  }
  expect(story.found).toEqual([
    'I10: the wish to cancel a job was dropped',
    expect.stringContaining('was to be due at'),
  ]);
});

test('D4: a cancelled job that comes back is seen', () => {
  const story = new Story(edits);
  story.write('a', { state: 'cancelled' });
  story.write('a', { state: 'done' });
  expect(story.found).toEqual(['I10: a job that was cancelled became done']);
});

test('D5: two open jobs under a key are seen; one that gave up its key may go on', () => {
  const story = new Story(edits);
  story.write('a', { body: { key: 'k' } });
  story.write('a', { body: { key: 'k', unkeyed: true } });
  story.write('b', { body: { key: 'k' } });
  story.write('b', { state: 'cancelled', body: { key: 'k' } });
  story.write('c', { body: { key: 'k' } });
  expect(story.found).toEqual([]);
  story.write('d', { body: { key: 'k' } });
  expect(story.found).toEqual(['I10: another open job, c, stands under the key k']);
});

test('a job of which the ledger forgot a write is exempt', () => {
  const story = new Story(edits);
  story.write('a');
  story.grant('a');
  story.settle('a', { state: 'cancelled' });
  story.forget('a');
  story.attempt('a', 'started');
  story.write('a', { state: 'scheduled' });
  expect(story.end()).toEqual([]);
});

test('D5: beside a job that was forgotten, or after the pointer was, another may stand under the key', () => {
  for (const kind of ['job', 'key']) {
    const story = new Story(edits);
    story.write('a', { body: { key: 'k' } });
    const key = { kind, id: kind === 'job' ? 'a' : 'mail/k', partition: '00' };
    story.tell({ what: 'forgotten', host: undefined, key, before: undefined, after: undefined });
    story.write('b', { body: { key: 'k' } });
    expect(story.end()).toEqual([]);
  }
});

test('D3: a wish that came before the attempt began, and for whose time it ran, is not asked of its end', async () => {
  const story = new Story(edits);
  story.write('a');
  story.grant('a'); // the answer is lost, and the acquire repeated later
  await story.pass(10);
  const due = { at: story.now };
  story.write('a', { body: { wish: { want: 'reschedule', due } } }, 'shop');
  await story.pass(10);
  story.attempt('a', 'started', { dueAt: due.at });
  story.settle('a', { dueAt: story.now + 60_000, body: { starts: 1 } });
  expect(story.end()).toEqual([]);
});
