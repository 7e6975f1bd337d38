import { expect, test } from 'vitest';
import { liveness } from './liveness.js';
import { messageOf, Story } from './story.fixture.test.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

function hostOf(story: Story, change: 'started' | 'crashed' | 'stopped'): void {
  story.tell({ what: 'host', host: 'engine-1', change, version: 2 });
}

/** A process that may run so many handlers of the task `mail`, and so many in all. */
function limited(story: Story, mail: number, all = 100, host = 'engine-1'): void {
  const tasks = new Map([['mail', mail]]);
  story.tell({ what: 'host', host, change: 'started', version: 2, slots: { all, tasks } });
}

/** A job is taken and its lease lasts, until its attempt ends. */
function take(story: Story, id: string, host = 'engine-1', starts = true): void {
  story.write(id);
  const { lease } = story.grant(id, host);
  story.write(id, { lease: { ...lease!, until: story.now + 10 * HOUR_MS } }, host);
  if (starts) story.attempt(id, 'started', { host });
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
  expect(story.end()).toEqual(['I3: a job is overdue by 16m, and nobody holds it']);
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
  expect(story.end()).toEqual([expect.stringMatching(/a message is at the broker 1h after its time/)]);
});

test('L4: what is overdue while its task is full wherever it runs is backlog, its message too', async () => {
  const story = new Story(liveness);
  story.tell({ what: 'host', host: 'shop', change: 'started', version: 2, slots: { all: 100, tasks: new Map() } });
  limited(story, 1);
  limited(story, 1, 100, 'engine-2');
  take(story, 'one');
  take(story, 'two', 'engine-2');
  story.message('stored', messageOf(story.write('waits')));
  await story.pass(3 * HOUR_MS);
  expect(story.end()).toEqual([]);
  expect(story.excused).toBe(1);
});

test('L4: what is overdue while every engine is full is backlog', async () => {
  const story = new Story(liveness);
  limited(story, Infinity, 2);
  take(story, 'one');
  take(story, 'two');
  story.write('waits');
  await story.pass(3 * HOUR_MS);
  expect(story.end()).toEqual([]);
  expect(story.excused).toBe(1);
});

test('L4: what is overdue while one job follows another is backlog, with a minute between them', async () => {
  const story = new Story(liveness);
  limited(story, 1);
  story.write('waits');
  for (let round = 0; round < 30; round += 1) {
    take(story, `job-${round}`);
    await story.pass(3 * MINUTE_MS);
    story.settle(`job-${round}`, { state: 'done' });
    await story.pass(MINUTE_MS);
  }
  expect(story.end()).toEqual([]);
});

test('L4: what an engine holds without a slot for it is backlog, and what runs is not', async () => {
  const story = new Story(liveness);
  limited(story, 1);
  take(story, 'runs');
  take(story, 'waits', 'engine-1', false);
  await story.pass(3 * HOUR_MS);
  expect(story.end()).toEqual([]);
  expect(story.excused).toBe(1);
});

test.each<[why: string, live: (story: Story) => Promise<void>]>([
  [
    'has room at another engine',
    async (story) => {
      limited(story, 1, 100, 'engine-2');
      await story.pass(17 * MINUTE_MS);
    },
  ],
  [
    'was full for a while',
    async (story) => {
      await story.pass(HOUR_MS);
      story.settle('one', { state: 'done' });
      await story.pass(17 * MINUTE_MS);
      take(story, 'two');
    },
  ],
  [
    'was full before it fell due',
    async (story) => {
      story.settle('one', { state: 'done' });
      await story.pass(MINUTE_MS);
      story.write('waits', { dueAt: story.now });
      await story.pass(17 * MINUTE_MS);
    },
  ],
  [
    'was full in a process that is gone',
    async (story) => {
      hostOf(story, 'crashed');
      limited(story, 1);
      await story.pass(17 * MINUTE_MS);
      story.settle('one', { state: 'done' });
    },
  ],
  [
    'is run by nobody',
    async (story) => {
      hostOf(story, 'crashed');
      story.settle('one', { state: 'done' });
      await story.pass(17 * MINUTE_MS);
    },
  ],
])('L4: a job that stays overdue is seen though its task %s', async (_why, live) => {
  const story = new Story(liveness);
  limited(story, 1);
  take(story, 'one');
  story.write('waits');
  await live(story);
  expect(story.end()).toEqual([expect.stringContaining('and nobody holds it')]);
});

test('L4: room before all was healed, and for two hours after that, counts for nothing', async () => {
  const story = new Story(liveness);
  limited(story, 1);
  story.write('waits');
  await story.pass(HOUR_MS);
  story.tell({ what: 'healed', host: undefined });
  await story.pass(2 * HOUR_MS);
  take(story, 'one');
  await story.pass(HOUR_MS);
  expect(story.end()).toEqual([]);
});
