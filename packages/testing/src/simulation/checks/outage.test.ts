import { expect, test } from 'vitest';
import { outage } from './outage.js';
import { messageOf, Story } from './story.fixture.test.js';

function ask(story: Story, to: 'broker' | 'ledger', name: string, served: boolean): void {
  story.tell({ what: 'request', host: 'engine-1', to, name, served });
}

test('U1: a host that receives on and on while the ledger is away is seen; one that waits is in order', async () => {
  const story = new Story(outage);
  ask(story, 'ledger', 'acquire', false);
  for (let i = 0; i < 20; i += 1) ask(story, 'broker', 'receive', true);
  await story.pass(6_000);
  for (let i = 0; i < 6; i += 1) ask(story, 'broker', 'receive', true);
  expect(story.found).toEqual([]);
  ask(story, 'broker', 'receive', true);
  expect(story.found).toEqual([expect.stringContaining('goes on receiving')]);
});

test('U1: an answer of the ledger ends the outage', async () => {
  const story = new Story(outage);
  ask(story, 'ledger', 'now', false);
  await story.pass(10_000);
  ask(story, 'ledger', 'now', true);
  for (let i = 0; i < 20; i += 1) ask(story, 'broker', 'receive', true);
  expect(story.end()).toEqual([]);
});

test('U2: a delivery that goes to and fro is seen', async () => {
  const story = new Story(outage);
  const message = messageOf(story.write('a'));
  ask(story, 'ledger', 'acquire', false);
  await story.pass(6_000);
  for (let i = 0; i < 2; i += 1) story.message('released', message);
  expect(story.found).toEqual([]);
  story.message('released', message);
  expect(story.found).toEqual([expect.stringContaining('released a delivery 3 times')]);
});

test('U3: a host that asks a silent ledger as fast as it is refused is seen; one that asks now and then is in order', async () => {
  const story = new Story(outage);
  ask(story, 'ledger', 'commit', false);
  await story.pass(6_000);
  for (let second = 0; second < 10; second += 1) {
    for (let i = 0; i < 20; i += 1) ask(story, 'ledger', 'commit', false);
    await story.pass(1_000);
  }
  expect(story.found).toEqual([]);
  for (let i = 0; i < 21; i += 1) ask(story, 'ledger', 'commit', false);
  expect(story.found).toEqual([expect.stringContaining('I11: a host asks more than 20 times within one second')]);
});

test('U4: a failure of an attempt that returned is seen, unless its time had run out', () => {
  const story = new Story(outage);
  for (const id of ['a', 'b', 'c']) {
    story.write(id);
    story.grant(id);
    story.attempt(id, 'started');
  }
  story.attempt('a', 'threw');
  story.settle('a', { body: { failures: 1, attempts: [['engine-1.1', 0, 0, 'failed']] } });
  story.attempt('b', 'returned');
  story.settle('b', { body: { failures: 1, attempts: [['engine-1.1', 0, 0, 'timed-out']] } });
  expect(story.found).toEqual([]);
  story.attempt('c', 'returned');
  story.settle('c', { body: { failures: 1, attempts: [['engine-1.1', 0, 0, 'failed']] } });
  expect(story.found).toEqual(['I11: a failure was recorded of an attempt that had returned']);
});
