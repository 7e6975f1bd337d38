import { expect, test } from 'vitest';
import { acks } from './acks.js';
import { messageOf, promised, Story } from './story.fixture.test.js';

test('A1: acks of what is settled, stale or followed by another message are in order', async () => {
  const story = new Story(acks);
  const settled = story.write('settled');
  story.write('settled', { state: 'done' });
  story.message('acked', messageOf(settled));

  const edited = story.write('edited');
  story.write('edited', { generation: edited.generation + 1 });
  story.message('acked', messageOf(edited));

  const hopped = story.write('hopped');
  story.write('hopped', { body: { hop: 1 } });
  story.message('acked', messageOf(hopped));

  const retried = story.write('retried');
  story.message('stored', messageOf(retried, { number: 2 }));
  story.message('acked', messageOf(retried));

  const lost = story.write('lost');
  story.message('lost', messageOf(lost, { number: 2 }));
  story.message('acked', messageOf(lost));
  expect(story.end()).toEqual([]);
});

test('A1: an ack while the job is open and nothing follows is seen', () => {
  const story = new Story(acks);
  const record = story.write('a');
  story.message('stored', messageOf(record));
  story.message('delivered', messageOf(record));
  story.message('acked', messageOf(record));
  expect(story.found).toEqual([expect.stringContaining('no later message was sent')]);
});

test('A1: a promise that is still in the outbox is no later message', () => {
  const story = new Story(acks);
  const record = story.write('a');
  const next = messageOf(record, { number: 2 });
  story.write('a', { outbox: [{ message: next, wakeAt: story.now }] });
  story.message('acked', messageOf(record));
  expect(story.found).toHaveLength(1);
});

test('A2: an ack of a message without a record is seen, unless it was forgotten since the delivery', async () => {
  const story = new Story(acks);
  const record = story.write('a');
  story.message('delivered', messageOf(record));
  await story.pass(10);
  story.servers.ledger.records.delete(record.key);
  story.forget('a');
  story.message('acked', messageOf(record));
  expect(story.found).toEqual([]);
  await story.pass(10);
  story.message('delivered', messageOf(record));
  story.message('acked', messageOf(record));
  expect(story.found).toEqual([expect.stringContaining('there is no record of its job')]);
});

test('A2: a malformed message is acked after its dead letter', () => {
  const story = new Story(acks);
  const malformed = { ...messageOf(story.write('a')), body: new Uint8Array([1]) };
  story.write('letter', { state: 'dead', body: { reason: 'malformed message: not JSON' } });
  story.message('acked', malformed);
  expect(story.found).toEqual([]);
  story.message('acked', malformed);
  expect(story.found).toEqual(['I6: a malformed message was acked without a dead letter']);
});

test('A3: what was forgotten since the very delivery excuses its ack, whoever has been given a copy since, and no other ack', async () => {
  const story = new Story(acks);
  const message = messageOf(story.write('a'));
  story.message('stored', message);
  story.message('delivered', message, 'engine-2');
  await story.pass(1_000);
  story.forget('a');
  await story.pass(1_000);
  story.message('delivered', message, 'engine-1');
  story.message('delivered', message, 'engine-2');
  story.message('released', message, 'engine-2');
  story.message('acked', message, 'engine-2');
  expect(story.found).toEqual([]);
  story.message('acked', message, 'engine-1');
  expect(story.found).toEqual([expect.stringContaining('engine-1 acked the message')]);
});

test('A4: after a loss, what was sent since is later, whatever its number', async () => {
  const story = new Story(acks);
  const record = story.write('a');
  const [first, second] = [messageOf(record), messageOf(record, { number: 2 })];
  story.message('stored', first);
  story.message('stored', second);
  story.forget('a');
  await story.pass(1_000);
  story.message('stored', first); // by a sweep
  story.message('delivered', second);
  story.message('acked', second);
  expect(story.end()).toEqual([]);
  story.message('delivered', first);
  story.message('acked', first);
  expect(story.found).toEqual([expect.stringContaining('no later message was sent')]);
});

test('A2: an ack before the send of what its own delivery has promised is seen', () => {
  const story = new Story(acks);
  const record = story.write('a');
  const [first, second] = [messageOf(record), messageOf(record, { number: 2 })];
  story.message('stored', first);
  story.write('a', { generation: record.generation + 1, outbox: [promised(second)] });
  story.message('acked', first, 'engine-2'); // of a copy, by one that has promised nothing
  expect(story.found).toEqual([]);
  story.message('acked', first);
  expect(story.found).toEqual([expect.stringContaining('is not sent')]);
  story.message('stored', second);
  story.message('acked', first);
  expect(story.found).toHaveLength(1);
});

test('A2: what an outbox still holds although it was sent is not owed any more', () => {
  const story = new Story(acks);
  const record = story.write('a');
  const first = messageOf(record);
  story.message('stored', first);
  story.write('a', { generation: record.generation + 1, outbox: [promised(first)] });
  story.message('delivered', first);
  story.message('acked', first);
  expect(story.found).toEqual([]);
});

test('A2: what a record promises of another is owed until anybody has sent it, or the ledger forgets the promise', async () => {
  const story = new Story(acks);
  const before = { ...story.write('a'), key: { kind: 'schedule', id: 's', partition: '00' }, wakeAt: undefined };
  const [tick, other] = [messageOf({ ...before, wakeAt: 1 }), messageOf(story.write('b'))];
  const after = { ...before, generation: before.generation + 1, wakeAt: 1, outbox: [promised(other)] };
  story.servers.ledger.records.put({ record: after, nonce: '' });
  const change = { what: 'record', change: 'written', host: 'engine-1', key: before.key, before, after } as const;
  story.tell(change);
  story.message('delivered', tick);
  story.message('acked', tick);
  expect(story.found).toEqual([expect.stringContaining('what it has promised is not sent')]);

  story.tell(change);
  story.tell({ what: 'forgotten', host: undefined, key: before.key, before: after, after: undefined });
  story.servers.ledger.records.put({ record: { ...after, generation: after.generation + 1 }, nonce: '' });
  await story.pass(1_000);
  story.message('delivered', tick);
  story.message('acked', tick);
  expect(story.found).toHaveLength(1); // the promise was forgotten, too

  story.tell(change);
  story.message('stored', other, 'engine-2');
  story.message('delivered', tick);
  story.message('acked', tick);
  expect(story.found).toHaveLength(1);
});
