import { expect, test } from 'vitest';
import { sends } from './sends.js';
import { messageOf, promised, Story } from './story.fixture.test.js';

function promise(story: Story, number = 1): ReturnType<typeof messageOf> {
  const message = messageOf(story.record('a') ?? story.write('a'), { number });
  story.write('a', { outbox: [promised(message)] });
  return message;
}

test('N1: a promise that is sent, sent again after a sweep, a flush and a lost answer is in order', () => {
  const story = new Story(sends);
  const message = promise(story);
  story.message('stored', message);
  story.tell({ what: 'fault', host: 'engine-1', fault: 'send-unheard', about: 'send' });
  story.message('stored', message);
  story.write('a', { outbox: [promised(message)] }, 'engine-2');
  story.message('stored', message, 'engine-2');
  story.message('delivered', message, 'engine-3');
  story.message('stored', message, 'engine-3');
  expect(story.end()).toEqual([]);
});

test('N1: a promise that is sent twice is seen', () => {
  const story = new Story(sends);
  const message = promise(story);
  story.message('stored', message);
  story.message('stored', message);
  expect(story.found).toEqual(['I9: engine-1 sent a message without a cause']);
});

test("N1: a delivery pays for a flush or for the holder's own promise, not for both", () => {
  const story = new Story(sends);
  const first = promise(story);
  story.message('delivered', first, 'engine-2');
  story.grant('a', 'engine-2');
  const next = messageOf(story.record('a')!, { number: 2 });
  story.settle('a', { outbox: [promised(next)] }, 'engine-2');
  story.message('stored', next, 'engine-2');
  expect(story.found).toEqual([]);
  story.message('stored', next, 'engine-2');
  expect(story.found).toHaveLength(1);
});

test('N1: a flush is paid by its delivery, so that a send whose answer was lost can be repeated after it', () => {
  const story = new Story(sends);
  const message = promise(story);
  story.message('stored', message);
  story.tell({ what: 'fault', host: 'engine-1', fault: 'send-unheard', about: 'send' });
  story.message('delivered', message);
  story.message('stored', message);
  story.message('acked', message);
  story.message('stored', message);
  expect(story.found).toEqual([]);
  story.message('stored', message);
  expect(story.found).toHaveLength(1);
});

test('N1: a lost message of an on-claim job that the shop sends again is in order', () => {
  const story = new Story(sends);
  const message = messageOf({ ...story.write('a') }, { onClaim: true });
  story.call('schedule', { id: 'a' }, { outcome: 'sent', id: 'a' });
  story.message('stored', message, 'shop');
  story.message('stored', message, 'shop');
  expect(story.found).toEqual([]);
});

test('N2: a sweep that moves nothing, or that comes before the time that the last one has named, is seen', async () => {
  const story = new Story(sends);
  const { wakeAt = 0 } = story.write('a');
  story.write('a', { wakeAt: wakeAt + 60_000, body: { sweeps: 1 } });
  await story.pass(60_000);
  story.write('a', { wakeAt: wakeAt + 200_000, body: { sweeps: 2 } });
  expect(story.found).toEqual([]);
  story.write('a', { wakeAt: wakeAt + 300_000, body: { sweeps: 3 } });
  story.write('b');
  story.write('b', { body: { sweeps: 1 } });
  expect(story.found).toEqual([
    expect.stringContaining('2m20s before the time that the last one has named'),
    'I9: a sweep did not move the attention time',
  ]);
});

test('N2: a sweep that leaves less grace than the last one is seen', async () => {
  const story = new Story(sends, { faults: { slow: 0.01 } });
  story.write('a');
  for (let sweeps = 1; sweeps <= 12; sweeps += 1) {
    const graceMs = Math.min(15_000 * 2 ** sweeps, 3_600_000);
    story.write('a', { wakeAt: story.now + graceMs, body: { sweeps } });
    await story.pass(graceMs);
  }
  expect(story.found).toEqual([]);
  story.write('a', { wakeAt: story.now + 1_800_000, body: { sweeps: 13 } });
  expect(story.found).toEqual([expect.stringMatching(/^I9: a sweep names the time .*, with less than 1h of grace$/)]);
});

test('N4: after an edit the outbox of a schedule holds two messages of its own, which whoever has a delivery of it may send', () => {
  const story = new Story(sends);
  const schedule = { ...story.write('a'), key: { kind: 'schedule', id: 's', partition: '00' } };
  const [old, first, second] = [0, 1, 2].map((number) => messageOf(schedule, { number }));
  const after = { ...schedule, outbox: [promised(first!), promised(second!)] };
  story.tell({ what: 'record', change: 'written', host: 'engine-1', key: schedule.key, before: schedule, after });
  story.message('delivered', old!, 'engine-2');
  story.message('stored', first!, 'engine-2');
  story.message('stored', second!, 'engine-2');
  expect(story.found).toEqual([]);
  story.message('stored', second!, 'engine-3');
  expect(story.found).toEqual(['I9: engine-3 sent a message without a cause']);
});

test("N4: to flush another record's outbox costs a job's own deliveries nothing", () => {
  const story = new Story(sends);
  const schedule = { ...story.write('a'), key: { kind: 'schedule', id: 's', partition: '00' } };
  const job = messageOf(story.record('a')!);
  const after = { ...schedule, outbox: [promised(job)] };
  story.tell({ what: 'record', change: 'written', host: 'engine-2', key: schedule.key, before: schedule, after });
  story.message('delivered', messageOf(schedule));
  story.message('delivered', job);
  story.message('stored', job); // what the schedule has promised
  story.message('acked', messageOf(schedule));
  story.message('stored', job); // what the job has
  expect(story.found).toEqual([]);
  story.message('stored', job);
  expect(story.found).toEqual(['I9: engine-1 sent a message without a cause']);
});

test('N4: what two occurrences have promised, whoever has a delivery of either may send', () => {
  const story = new Story(sends);
  const [bell, a, b] = ['bell', 'a', 'b'].map((id) => ({
    ...story.write(id),
    key: { kind: 'job', id, partition: '00' },
  }));
  const ring = messageOf({ ...bell!, key: { kind: 'bell', id: 's', partition: '00' } });
  for (const one of [a!, b!]) {
    const after = { ...one, outbox: [promised(ring)] };
    story.tell({ what: 'record', change: 'written', host: `rings ${one.key.id}`, key: one.key, before: one, after });
  }
  story.message('delivered', messageOf(a!), 'engine-2');
  story.message('stored', ring, 'engine-2');
  story.message('delivered', messageOf(b!), 'engine-3');
  story.message('stored', ring, 'engine-3');
  expect(story.found).toEqual([]);
  story.message('stored', ring, 'engine-4');
  expect(story.found).toEqual(['I9: engine-4 sent a message without a cause']);
});

test('N3: a loop on a record, and one of receives, is seen', () => {
  const story = new Story(sends);
  for (let i = 0; i < 60; i += 1) story.write('a');
  const receive = { what: 'request', host: 'engine-1', to: 'broker', name: 'receive', served: true } as const;
  for (let i = 0; i < 60; i += 1) story.tell(receive);
  expect(story.found).toEqual([]);
  story.write('a');
  story.tell(receive);
  expect(story.found).toEqual([expect.stringContaining('a record was written'), expect.stringContaining('receives')]);
});

test('N3: a hundred attempts within a second, each with what it needs, are in order; a loop beside them is seen', () => {
  const story = new Story(sends);
  story.write('a');
  for (let number = 1; number <= 100; number += 1) {
    story.grant('a');
    story.attempt('a', 'started');
    story.attempt('a', 'threw');
    const next = messageOf(story.record('a')!, { number });
    story.settle('a', { outbox: [promised(next)] });
    story.message('stored', next);
  }
  expect(story.found).toEqual([]);
  for (let again = 0; again < 61; again += 1) story.grant('a');
  expect(story.found).toEqual(['I9: more than 60 times within one second: a record was granted']);
});

test('N3: receives that bring jobs are in order, on a broker and on a fused store; others are seen on both', () => {
  for (const shape of ['apart', 'fused'] as const) {
    const story = new Story(sends, { shape });
    const receive = { what: 'request', host: 'engine-1', to: 'ledger', name: 'receive', served: true } as const;
    for (let i = 0; i < 100; i += 1) {
      const record = story.write(`job-${i}`);
      if (shape === 'apart') story.message('delivered', messageOf(record));
      story.tell(receive);
      if (shape === 'fused') story.grant(`job-${i}`);
    }
    expect(story.found).toEqual([]);
    for (let i = 0; i < 200; i += 1) story.tell(receive);
    expect(story.found[0]).toContain('receives within one second');
  }
});
