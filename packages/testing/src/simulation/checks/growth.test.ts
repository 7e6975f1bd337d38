import { expect, test } from 'vitest';
import { growth } from './growth.js';
import { messageOf, Story } from './story.fixture.test.js';

const DAY_MS = 86_400_000;

test('writes, grants and edits that grow are in order', async () => {
  const story = new Story(growth);
  story.write('a');
  story.grant('a');
  await story.pass(10);
  story.settle('a', { generation: story.now * 1000 });
  story.grant('a');
  story.settle('a', { state: 'done' });
  expect(story.end()).toEqual([]);
});

test('a version, a generation and a fence that fall are seen', () => {
  const story = new Story(growth);
  const { generation } = story.write('a', { version: 5 });
  const { fence } = story.grant('a');
  story.write('a', { version: 3 });
  story.write('a', { version: 9, generation: generation - 1 });
  story.write('a', { version: 10, fence: fence - 1, generation });
  expect(story.found).toEqual([
    expect.stringMatching(/version .* from 6 to 3/),
    expect.stringMatching(/generation/),
    expect.stringMatching(/fence/),
  ]);
});

test('G1: a record that is made anew after its removal does not begin anew', () => {
  const story = new Story(growth);
  const { key } = story.write('a', { version: 5 });
  story.servers.ledger.records.remove(key, 'nonce');
  story.write('a');
  expect(story.found).toEqual([expect.stringMatching(/version .* from 5 to 1/)]);
});

test('G1: after the end of its retention it may, but a fence still grows', async () => {
  const story = new Story(growth);
  story.write('a');
  const { fence } = story.grant('a');
  story.settle('a', { state: 'done', expiresAt: story.now + 1 });
  await story.pass(10);
  story.servers.ledger.records.expire(story.now);
  story.write('a');
  expect(story.found).toEqual([]);
  story.write('a', { fence: fence - 1, version: 2 });
  story.write('a', { fence, version: 3 });
  expect(story.found).toEqual([expect.stringMatching(/fence/), expect.stringMatching(/fence/)]);
});

test('G3: a settled job that is forgotten before its last message is seen', () => {
  const story = new Story(growth);
  const record = story.write('a', { dueAt: story.now + DAY_MS });
  story.message('stored', messageOf(record));
  story.write('a', { state: 'cancelled', expiresAt: story.now + 2 * DAY_MS });
  expect(story.found).toEqual([expect.stringContaining('while a message of it may still arrive')]);
});

test('G3: a job of which the ledger forgot a write is exempt', () => {
  const story = new Story(growth);
  const record = story.write('a', { dueAt: story.now + DAY_MS });
  story.message('stored', messageOf(record));
  story.forget('a');
  story.write('a', { state: 'cancelled', expiresAt: story.now + 2 * DAY_MS });
  expect(story.end()).toEqual([]);
});

test('a record of which the ledger forgot a write begins anew', () => {
  const story = new Story(growth);
  const { key } = story.write('a', { version: 5 });
  story.forget('a');
  story.servers.ledger.records.delete(key);
  story.forget('a');
  story.write('a', { version: 1 });
  expect(story.end()).toEqual([]);
});
