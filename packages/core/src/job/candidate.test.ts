import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jobRecord, partitionOf, pointerRecord } from '../message/names.js';
import { resolveTask } from '../task/options.js';
import { defineTask, type TaskOptions } from '../task/task.js';
import { type Candidate, candidate, type ScheduleFields } from './candidate.js';
import { bodyText } from './job.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');

function call(fields: ScheduleFields = {}, payload: unknown = { n: 1 }, options: TaskOptions<unknown> = {}): Candidate {
  const context = { namespace: 'app', maxBytes: 100, now: NOW, mint: () => 'minted' };
  return candidate(resolveTask(defineTask<unknown>('t', options)), payload, fields, context);
}

test('a call becomes a job that can be placed', () => {
  expect(call()).toMatchObject({
    id: 'minted',
    ownId: false,
    onClaim: false,
    onExisting: 'keep',
    namespace: 'app',
    job: {
      record: jobRecord('app', 'minted'),
      task: 't',
      queue: 'app/default',
      generation: NOW * 1000,
      state: 'scheduled',
      dueAt: NOW,
      expiresAt: undefined,
      body: { payload: { n: 1 } },
      payloadText: '{"n":1}',
    },
  });
});

test('a plain job keeps nothing but its payload', () => {
  expect(bodyText(call().job)).toBe('{"payload":{"n":1}}');
  expect(bodyText(call({}, null).job)).toBe('{"payload":null}');
});

describe('when it is due', () => {
  test.each<[string, ScheduleFields, TaskOptions<unknown>, string]>([
    ['at once', {}, {}, '2027-01-15T12:00:00.000Z'],
    ["the task's own in", {}, { in: '30m' }, '2027-01-15T12:30:00.000Z'],
    ["a call's in", { in: '5m' }, { in: '30m' }, '2027-01-15T12:05:00.000Z'],
    ["a call's at", { at: '2027-03-01T09:00:00Z' }, { in: '30m' }, '2027-03-01T09:00:00.000Z'],
    ['a wall time', { at: '2027-03-01 09:00', timezone: 'Europe/Berlin' }, {}, '2027-03-01T08:00:00.000Z'],
    ['the past', { at: '2020-01-01T00:00:00Z' }, {}, '2020-01-01T00:00:00.000Z'],
    ['before 1970', { at: '1960-01-01T00:00:00Z' }, {}, '1970-01-01T00:00:00.000Z'],
  ])('%s', (_name, fields, options, dueAt) => {
    expect(new Date(call(fields, {}, options).job.dueAt).toISOString()).toBe(dueAt);
  });

  test('a wall time is kept, to be resolved again', () => {
    const wall = { wall: '2027-03-01T09:00:00.000', timezone: 'Europe/Berlin' };
    expect(call({ at: '2027-03-01 09:00', timezone: 'Europe/Berlin' }).job.body.wall).toEqual(wall);
    expect(call({ at: '2027-03-01T09:00Z' }).job.body).not.toHaveProperty('wall');
  });
});

describe('what a call overrides', () => {
  test('the queue and onExisting', () => {
    expect(call({ queue: 'mail' }, {}, { queue: 'slow' }).job.queue).toBe('app/mail');
    expect(call({}, {}, { queue: 'slow' }).job.queue).toBe('app/slow');
    expect(call({ key: 'k', onExisting: 'error' }, {}, { onExisting: 'replace' }).onExisting).toBe('error');
    expect(call({}, {}, { onExisting: 'replace' }).onExisting).toBe('replace');
  });

  test('the policy goes with the job', () => {
    const overrides = {
      attempts: 3,
      retry: { for: '1h' },
      interruptions: 2,
      timeout: '5s',
      maxLateness: { of: '1m', then: 'skip' },
      keep: '1h',
    } as const;
    expect(call(overrides).job.body.overrides).toEqual(overrides);
    for (const [name, value] of Object.entries(overrides))
      expect(call({ [name]: value }).job.body.overrides).toEqual({ [name]: value });
    expect(call().job.body).not.toHaveProperty('overrides');
  });

  test('never-again is known before the first grant, wherever it was said', () => {
    expect(call({ attempts: 'never-again' }).job.body.neverAgain).toBe(true);
    expect(call({}, {}, { attempts: 'never-again' }).job.body.neverAgain).toBe(true);
    expect(call({ attempts: 2 }, {}, { attempts: 'never-again' }).job.body).not.toHaveProperty('neverAgain');
  });

  test('headers travel along', () => {
    expect(call({ headers: { traceparent: '00-1' } }).job.body.headers).toEqual({ traceparent: '00-1' });
  });

  test('on-claim, of the call or of the task', () => {
    expect(call({ record: 'on-claim' }).onClaim).toBe(true);
    expect(call({}, {}, { record: 'on-claim' }).onClaim).toBe(true);
    expect(call({ record: 'on-schedule' }, {}, { record: 'on-claim' }).onClaim).toBe(false);
  });
});

describe('identities', () => {
  test('an own id is kept and makes the call repeatable', () => {
    expect(call({ id: 'mine' })).toMatchObject({ id: 'mine', ownId: true, job: { record: { id: 'app\u001fmine' } } });
  });

  test('a job with a key lives with the key, and its minted id says where', () => {
    const { id, job } = call({ key: 'order/42' });
    const partition = partitionOf('t/order/42');
    expect(id).toBe(`minted-${partition}`);
    expect(job.record).toEqual(jobRecord('app', id));
    expect(job.record.partition).toBe(pointerRecord('app', 't', 'order/42').partition);
  });

  test('an own id with a key lives with the key', () => {
    const { job } = call({ id: 'mine', key: 'k' });
    expect(job.record.partition).toBe(pointerRecord('app', 't', 'k').partition);
  });
});

describe('F1: whatever can be refused is refused', () => {
  const long = 'x'.repeat(257);
  test.each<[string, unknown, string]>([
    ['a bad duration', { in: '5 parsecs' }, 'E_DURATION'],
    ['a number for a duration', { in: 5 }, 'E_DURATION'],
    ['in and at', { in: '5m', at: new Date(NOW) }, 'E_DUE'],
    ['a zone without a time', { timezone: 'UTC' }, 'E_DUE'],
    ['a zone beside in', { in: '5m', timezone: 'UTC' }, 'E_DUE'],
    ['a time that does not say its clock', { at: '2027-03-01 09:00' }, 'E_DUE'],
    ['an unknown zone', { at: '2027-03-01 09:00', timezone: 'Mars/Olympus' }, 'E_ZONE'],
    ['an empty key', { key: '' }, 'E_ID'],
    ['a key with a control character', { key: 'a\u001fb' }, 'E_ID'],
    ['a long key', { key: long }, 'E_ID'],
    ['a key that is no text', { key: 42 }, 'E_ID'],
    ['an empty id', { id: '' }, 'E_ID'],
    ['a long id', { id: long }, 'E_ID'],
    ['an id that is no text', { id: { a: 1 } }, 'E_ID'],
    ['a key for an on-claim job', { key: 'k', record: 'on-claim' }, 'E_OPTIONS'],
    ['another record', { record: 'sometimes' }, 'E_OPTIONS'],
    ['another onExisting', { key: 'k', onExisting: 'merge' }, 'E_OPTIONS'],
    ['onExisting without a key', { onExisting: 'replace' }, 'E_OPTIONS'],
    ['a queue with a slash', { queue: 'a/b' }, 'E_OPTIONS'],
    ['no attempts', { attempts: 0 }, 'E_OPTIONS'],
    ['half an attempt', { attempts: 1.5 }, 'E_OPTIONS'],
    ['an unknown word for attempts', { attempts: 'always' }, 'E_OPTIONS'],
    ['no interruptions', { interruptions: 0 }, 'E_OPTIONS'],
    ['a bad time to keep it', { keep: 'long' }, 'E_DURATION'],
    ['a number for a time to keep it', { keep: 30 }, 'E_DURATION'],
    ['a bad time-out', { timeout: '-1s' }, 'E_DURATION'],
    ['no time-out', { timeout: '0s' }, 'E_OPTIONS'],
    ['a bad age', { retry: { for: 'ever' } }, 'E_DURATION'],
    ['a bad backoff', { retry: { backoff: { type: 'random' } } }, 'E_OPTIONS'],
    ['a bad lateness', { maxLateness: { of: 'x', then: 'skip' } }, 'E_DURATION'],
    ['a lateness with no consequence', { maxLateness: { of: '1m' } }, 'E_OPTIONS'],
    ['a header that is no text', { headers: { a: 1 } }, 'E_OPTIONS'],
    ['headers that are no object', { headers: 'a=b' }, 'E_OPTIONS'],
    ['no headers', { headers: null }, 'E_OPTIONS'],
    ['a list of headers', { headers: ['a'] }, 'E_OPTIONS'],
    ['33 headers', { headers: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [n, ''])) }, 'E_OPTIONS'],
    ['headers of more than 8 KiB', { headers: { a: 'x'.repeat(8_192) } }, 'E_OPTIONS'],
  ])('%s', (_name, fields, code) => {
    expect(() => call(fields as ScheduleFields)).toThrow(expect.objectContaining({ code }));
  });

  test.each<[string, unknown, string]>([
    ['a payload that JSON cannot hold', { at: new Date(NOW) }, 'E_PAYLOAD'],
    ['a payload beyond the limit', { text: 'x'.repeat(100) }, 'E_PAYLOAD_SIZE'],
  ])('%s', (_name, payload, code) => {
    expect(() => call({}, payload)).toThrow(expect.objectContaining({ code }));
  });

  test('on-claim of the task, and a key of the call', () => {
    expect(() => call({ key: 'k' }, {}, { record: 'on-claim' })).toThrow(
      expect.objectContaining({ code: 'E_OPTIONS', next: expect.stringContaining('Leave the key out') }),
    );
    expect(call({ key: 'k', record: 'on-schedule' }, {}, { record: 'on-claim' }).onClaim).toBe(false);
  });
});

test('what two calls of one moment make is told apart by nothing but the id', () => {
  const ids = fc.string({ minLength: 1, maxLength: 50 }).filter((text) => !/[\u0000-\u001f\u007f]/.test(text)); // oxlint-disable-line no-control-regex
  fc.assert(
    fc.property(ids, ids, (a, b) => {
      const [one, other] = [call({ id: a }).job, call({ id: b }).job];
      expect(one.record.id === other.record.id).toBe(a === b);
      expect({ ...one, record: 0 }).toEqual({ ...other, record: 0 });
    }),
  );
});
