import { expect, test } from 'vitest';
import { answers } from './answers.js';
import { messageOf, Story } from './story.fixture.test.js';

test('answers that are true are in order', () => {
  const story = new Story(answers);
  story.call('schedule', { id: 'a' }, { outcome: 'scheduled', id: 'a' }, () => story.write('a'));
  story.call('schedule', { id: 'a' }, { outcome: 'scheduled', id: 'a' });
  story.call('schedule', { id: 'b' }, { outcome: 'kept', id: 'a' });
  story.call('cancel', { id: 'a' }, { outcome: 'cancelled', id: 'a' }, () => story.write('a', { state: 'cancelled' }));
  story.call('cancel', { id: 'a' }, { outcome: 'settled', id: 'a' });
  story.call('cancel', { id: 'nobody' }, { outcome: 'unknown' });
  expect(story.end()).toEqual([]);
});

test('H1: a job that was placed, or kept, without a record is seen', () => {
  const story = new Story(answers);
  for (const outcome of ['scheduled', 'replaced', 'running', 'kept', 'throttled'])
    story.call('schedule', { id: outcome }, { outcome, id: outcome });
  expect(story.found).toHaveLength(5);
});

test('H1: a job that was sent has a message, stored or lost', () => {
  const story = new Story(answers);
  const record = story.write('other');
  const ofJob = (id: string) => messageOf({ ...record, key: { ...record.key, id } }, { onClaim: true });
  story.message('stored', ofJob('a'), 'shop');
  story.message('lost', ofJob('b'), 'shop');
  for (const id of ['a', 'b']) story.call('schedule', { id }, { outcome: 'sent', id });
  expect(story.found).toEqual([]);
  story.call('schedule', { id: 'c' }, { outcome: 'sent', id: 'c' });
  expect(story.found).toEqual(['I2: schedule answered sent, and nothing of the job is there']);
});

test('H2: another answer to a repeated id is seen', () => {
  const story = new Story(answers);
  story.write('a');
  story.write('b');
  story.call('schedule', { id: 'a' }, { outcome: 'scheduled', id: 'a' });
  story.call('schedule', { id: 'a' }, { outcome: 'kept', id: 'b' });
  expect(story.found).toEqual(['I2: a repeated call was answered kept b, and scheduled a before']);
});

test('H3: a cancel that cancelled nothing is seen', () => {
  const story = new Story(answers);
  story.write('a');
  story.call('cancel', { id: 'a' }, { outcome: 'cancelled', id: 'a' });
  story.call('cancel', { id: 'b' }, { outcome: 'requested', id: 'b' });
  expect(story.found).toEqual([
    'I10: cancel answered cancelled, and the job is not cancelled',
    'I10: cancel answered requested, and the job is not cancelled',
  ]);
});

test('H4: a job that is open all the while is neither unknown nor settled, by its id and by its key', () => {
  const story = new Story(answers);
  story.write('a', { body: { key: 'k' } });
  story.call('reschedule', { id: 'a' }, { outcome: 'unknown' });
  story.call('cancel', { key: 'k' }, { outcome: 'settled', id: 'before' });
  expect(story.found).toEqual([
    'I10: reschedule answered unknown of a job that was open all the while',
    'I10: cancel answered settled of a job that was open all the while',
  ]);
});

test('H4: one that came or went during the call may be either', () => {
  const story = new Story(answers);
  story.call('cancel', { id: 'a' }, { outcome: 'unknown' }, () => story.write('a'));
  story.call('cancel', { id: 'a' }, { outcome: 'settled', id: 'a' }, () => story.write('a', { state: 'done' }));
  expect(story.end()).toEqual([]);
});

function forget(story: Story, kind: string, id: string): void {
  const key = { kind, id, partition: '00' };
  story.tell({ what: 'forgotten', host: undefined, key, before: undefined, after: undefined });
}

test('a job of which the ledger forgot a write is exempt from all of it', () => {
  const story = new Story(answers);
  story.write('a');
  story.forget('a');
  story.call('cancel', { id: 'a' }, { outcome: 'unknown' });
  story.call('cancel', { id: 'a' }, { outcome: 'cancelled', id: 'a' });
  story.forget('b');
  story.call('schedule', { id: 'again' }, { outcome: 'scheduled', id: 'b' });
  story.call('schedule', { id: 'again' }, { outcome: 'kept', id: 'b' });
  expect(story.end()).toEqual([]);
});

test('an id whose answer was forgotten may be answered anew, and a key whose pointer was may be unknown', () => {
  const story = new Story(answers);
  story.write('a', { body: { key: 'k' } });
  story.call('schedule', { id: 'again' }, { outcome: 'kept', id: 'a' });
  forget(story, 'answer', 'again');
  story.call('schedule', { id: 'again' }, { outcome: 'throttled', id: 'a' });
  forget(story, 'key', 'mail/k');
  story.call('cancel', { key: 'k' }, { outcome: 'unknown' });
  expect(story.end()).toEqual([]);
});
