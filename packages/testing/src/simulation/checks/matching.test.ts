import { expect, test } from 'vitest';
import { matching } from './matching.js';
import { messageOf, Story } from './story.fixture.test.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function accept(story: Story, id: string, options: Record<string, unknown> = {}): void {
  story.call('schedule', { id, options }, { outcome: 'scheduled', id }, () => story.write(id));
}

test('a job that was accepted and done, and one that is open, are in order', async () => {
  const story = new Story(matching);
  accept(story, 'a');
  accept(story, 'b');
  await story.pass(1000);
  story.complete('a');
  expect(story.end()).toEqual([]);
});

test('M1: an accepted job that has vanished, or of which there is nothing, is seen', () => {
  const story = new Story(matching);
  accept(story, 'a');
  story.servers.ledger.records.delete(story.record('a')!.key);
  story.call('schedule', { id: 'b' }, { outcome: 'scheduled', id: 'b' });
  expect(story.end()).toEqual(['I2: a job has vanished', 'I2: a job was accepted, and nothing of it is there']);
});

test('M1: one whose retention has ended, or of which the ledger forgot a write, is in order', async () => {
  const story = new Story(matching);
  accept(story, 'a');
  story.complete('a');
  story.write('a', { expiresAt: story.now + 1 });
  accept(story, 'b');
  await story.pass(10);
  story.servers.ledger.records.expire(story.now);
  story.forget('b');
  story.servers.ledger.records.delete(story.record('b')!.key);
  expect(story.end()).toEqual([]);
});

test('M1: a job that ended for no reason that the history shows is seen', () => {
  const story = new Story(matching);
  accept(story, 'a');
  story.write('a', { state: 'cancelled', body: { reason: 'cancelled' } });
  expect(story.end()).toEqual(['I2: a job ended as cancelled, but nobody asked to cancel it']);
});

test('M2: a job that is done without an attempt that returned, or twice, is seen', () => {
  const story = new Story(matching);
  accept(story, 'a');
  story.write('a', { state: 'done' });
  accept(story, 'b');
  story.complete('b');
  story.write('b', { state: 'scheduled' });
  story.complete('b');
  expect(story.end()).toEqual([
    'I2: a job is done, and no attempt of it has returned',
    'I2: a job was completed 2 times',
  ]);
});

test('M3: a start that is late for nothing is seen', async () => {
  const story = new Story(matching);
  accept(story, 'a');
  await story.pass(2 * MINUTE_MS);
  story.grant('a');
  story.attempt('a', 'started');
  expect(story.found).toEqual([`I3: an attempt started 2m late, and nothing was in its way`]);
});

test('M3: after a fault, a crash or behind another job of its task it may be late', async () => {
  const faults = [
    (story: Story) => story.tell({ what: 'fault', host: undefined, fault: 'broker-down', about: '' }),
    (story: Story) => story.tell({ what: 'host', host: 'engine-1', change: 'crashed', version: 2 }),
    (story: Story) => {
      story.write('other');
      story.grant('other');
      story.attempt('other', 'started');
    },
  ];
  for (const fault of faults) {
    const story = new Story(matching);
    accept(story, 'a');
    fault(story);
    await story.pass(2 * MINUTE_MS);
    story.grant('a');
    story.attempt('a', 'started');
    expect(story.found).toEqual([]);
  }
});

test('M3: a fault of long ago excuses nothing', async () => {
  const story = new Story(matching);
  story.tell({ what: 'fault', host: undefined, fault: 'broker-down', about: '' });
  await story.pass(3 * HOUR_MS);
  accept(story, 'a');
  await story.pass(2 * MINUTE_MS);
  story.grant('a');
  story.attempt('a', 'started');
  expect(story.found).toHaveLength(1);
});

test('M4: an on-claim job whose every message was lost is in order, one whose message was acked is seen', () => {
  const story = new Story(matching);
  const model = story.write('model');
  for (const id of ['lost', 'under-way', 'acked']) {
    const message = messageOf({ ...model, key: { ...model.key, id } }, { onClaim: true });
    story.message(id === 'lost' ? 'lost' : 'stored', message, 'shop');
    if (id === 'acked') story.message('acked', message);
    story.call('schedule', { id }, { outcome: 'sent', id });
  }
  expect(story.end()).toEqual(['I2: the messages of an on-claim job were acked, and there is no record of it']);
});
