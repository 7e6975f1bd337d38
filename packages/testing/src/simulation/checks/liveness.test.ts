import { expect, test } from 'vitest';
import { liveness } from './liveness.js';
import { messageOf, Story } from './story.fixture.test.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function hostOf(story: Story, change: 'started' | 'crashed' | 'stopped'): void {
  story.tell({ what: 'host', host: 'engine-1', change, version: 2 });
}

/** A job is granted to a live process, and its lease is renewed until the end. */
function held(story: Story, id = 'a'): void {
  hostOf(story, 'started');
  story.write(id);
  story.grant(id);
}

function pause(story: Story, name: string): void {
  const record = { ...story.write('model'), key: { kind: 'pause', id: name, partition: 'pause' } };
  story.write('model', { state: 'done' });
  story.servers.ledger.records.put({ record, nonce: '' });
}

test('what is settled, not due, or overdue by less than the slack is in order', async () => {
  const story = new Story(liveness);
  story.write('settled', { state: 'done' });
  story.write('later', { dueAt: story.now + 2 * HOUR_MS });
  await story.pass(HOUR_MS);
  story.write('fresh');
  await story.pass(14 * MINUTE_MS);
  expect(story.end()).toEqual([]);
});

test('L1: a job that stays overdue is seen', async () => {
  const story = new Story(liveness);
  story.write('a');
  await story.pass(16 * MINUTE_MS);
  expect(story.end()).toEqual([`I3: a job is overdue by ${16 * MINUTE_MS} ms, and nobody holds it`]);
});

test('L1: an open job that wants no attention is seen, due or not', () => {
  const story = new Story(liveness);
  story.write('a', { dueAt: story.now + HOUR_MS, wakeAt: undefined });
  expect(story.end()).toEqual(['I3: an open job wants no attention']);
});

test('L1: a job that a live process holds, or whose queue or task is paused, is in order', async () => {
  const story = new Story(liveness);
  held(story);
  story.write('b', { queue: 'bulk' });
  story.write('c', { task: 'report' });
  pause(story, 'queue/bulk');
  pause(story, 'task/report');
  await story.pass(HOUR_MS);
  const { lease } = story.record('a')!;
  story.write('a', { lease: { ...lease!, until: story.now + 30_000 } });
  expect(story.end()).toEqual([]);
});

test('L2: a lease that ended without anybody taking over is seen', async () => {
  const story = new Story(liveness);
  held(story);
  await story.pass(16 * MINUTE_MS);
  expect(story.end()).toEqual([expect.stringContaining('a job is leased by engine-1.1')]);
});

test('L2: a lease that runs on after its process has gone is seen', async () => {
  for (const change of ['crashed', 'stopped'] as const) {
    const story = new Story(liveness);
    held(story);
    await story.pass(HOUR_MS);
    const { lease } = story.record('a')!;
    story.write('a', { lease: { ...lease!, until: story.now + 30_000 } });
    hostOf(story, change);
    hostOf(story, 'started');
    expect(story.end()).toHaveLength(1);
  }
});

test('L3: a message that waits beyond its time is seen, unless its job is held', async () => {
  const story = new Story(liveness);
  held(story);
  story.message('stored', messageOf(story.record('a')!));
  story.message('stored', messageOf(story.write('b', { state: 'done' })));
  story.message('stored', messageOf(story.write('c', { state: 'done' }), { deliverAt: story.now + HOUR_MS }));
  await story.pass(HOUR_MS);
  const { lease } = story.record('a')!;
  story.write('a', { lease: { ...lease!, until: story.now + 30_000 } });
  expect(story.end()).toEqual([expect.stringMatching(/a message is at the broker 3600000 ms after its time/)]);
});
