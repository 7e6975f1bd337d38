import { expect, test } from 'vitest';
import { neverEarly } from './never-early.js';
import { messageOf, Story, T0 } from './story.fixture.test.js';

test('an attempt that starts when it is due is in order', async () => {
  const story = new Story(neverEarly);
  story.write('a', { dueAt: T0 + 10 });
  await story.pass(10);
  story.grant('a');
  story.attempt('a', 'started');
  expect(story.end()).toEqual([]);
});

test('N1: one that starts before the due time that it says, or that the record said, is seen', async () => {
  const story = new Story(neverEarly);
  story.write('a', { dueAt: T0 + 11 });
  await story.pass(10);
  story.grant('a');
  story.attempt('a', 'started');
  story.attempt('a', 'started', { dueAt: T0 + 1 });
  story.write('b', { dueAt: T0 });
  story.grant('b');
  story.attempt('b', 'started', { dueAt: T0 + 12 });
  expect(story.found.map((text) => text.slice(0, 29))).toEqual([
    'I5: an attempt started 1 ms b',
    'I5: an attempt started 1 ms b',
    'I5: an attempt started 2 ms b',
  ]);
});

test('N2: one that starts before its message says is seen, whatever the record says; another generation or a wish may', async () => {
  const story = new Story(neverEarly);
  for (const id of ['a', 'b', 'c'])
    story.message('stored', messageOf(story.write(id, { generation: 7, dueAt: T0 + 60_000 })));
  await story.pass(10);
  story.write('b', { generation: 8, dueAt: T0 });
  story.write('c', { dueAt: T0, body: { wish: { want: 'reschedule', due: { at: T0 } } } });
  for (const id of ['a', 'b', 'c']) {
    story.write(id, { dueAt: T0 });
    story.grant(id);
    story.attempt(id, 'started');
  }
  expect(story.found).toEqual(['I5: an attempt started 59990 ms before its message says']);
});
