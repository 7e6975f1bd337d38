import { describe, expect, test } from 'vitest';
import type { Lease, LedgerRecord, Write } from '../ports/ledger.js';
import { resolveTask } from '../task/options.js';
import { defineTask } from '../task/task.js';
import { type Amendment, cancel, redrive, reschedule } from './amend.js';
import { candidate } from './candidate.js';
import type { Carriage } from './carriage.js';
import { type Job, type JobBody, type JobState, readJob, type Wish, withBody, writeJob } from './job.js';
import { close } from './settle.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');
const DAY_MS = 86_400_000;
const TASK = resolveTask(defineTask('t', { in: '1h' }));
const BROKER: Carriage = { fused: false, horizonMs: 40 * DAY_MS, earlyMs: 0 };
const LEASE: Lease = { holder: 'w', nonce: 'n', since: NOW - 5_000, until: NOW + 25_000 };
const CANCEL = { want: 'cancel', abort: false, reason: 'cancelled' } as const satisfies Wish;
const SETTLED = ['done', 'dead', 'indeterminate', 'cancelled', 'skipped'] as const satisfies JobState[];

function standing(
  body: Partial<JobBody> = {},
  more: Partial<LedgerRecord> = {},
  change: (job: Job) => Job = (j) => j,
): LedgerRecord {
  const context = { namespace: '', maxBytes: 1_000, now: NOW - DAY_MS, mint: () => 'id' };
  const placed = candidate(TASK, { n: 1 }, { at: new Date(NOW + DAY_MS), key: 'k' }, context).job;
  const job = change(withBody(placed, body));
  const wakeAt = job.state === 'scheduled' ? job.dueAt : undefined;
  return {
    ...writeJob(job, wakeAt),
    key: job.record,
    version: 7,
    fence: 0,
    lease: undefined,
    interrupted: [],
    ...more,
  };
}
const running = (body: Partial<JobBody> = {}, more: Partial<LedgerRecord> = {}): LedgerRecord =>
  standing(body, { fence: 5, lease: LEASE, ...more });

const amendments: [string, (record: LedgerRecord) => Amendment][] = [
  ['cancel', (record) => cancel('', record, CANCEL, NOW, TASK)],
  ['reschedule', (record) => reschedule('', record, { at: NOW + 5 }, NOW, TASK, BROKER)],
  ['redrive', (record) => redrive(record, undefined, NOW, BROKER)],
];

/** The record as it is after the first write. */
function after(record: LedgerRecord, writes: readonly Write[]): LedgerRecord {
  const [write] = writes;
  if (write?.do !== 'put') throw new Error('nothing was put');
  expect(write).toMatchObject({ key: record.key, expect: { version: record.version } });
  return { ...record, ...write.content, version: record.version + 1 };
}

describe('E1: while a job is claimed, others only leave a wish', () => {
  test.each([
    ['a live lease', running()],
    ['a lease that has ended without a word', running({}, { lease: { ...LEASE, until: NOW - 1 } })],
  ])('%s', (_name, record) => {
    for (const [name, amendment] of amendments.slice(0, 2)) {
      const { answer, writes, attempts } = amendment(record);
      expect([name, answer, attempts]).toEqual([name, 'running', 1]);
      const left = after(record, writes);
      expect(left).toMatchObject({ state: 'scheduled', dueAt: record.dueAt, wakeAt: record.wakeAt });
      expect(left.generation).toBe(record.generation);
      expect(writes).toHaveLength(1); // its key is still its own
    }
  });

  test('the wish says what was wanted', () => {
    const record = running();
    const cancelled = cancel('', record, { ...CANCEL, abort: true }, NOW, TASK);
    expect(readJob(after(record, cancelled.writes)).body.wish).toEqual({ ...CANCEL, abort: true });
    const wall = { wall: '2027-02-01T09:00:00.000', timezone: 'Europe/Berlin' };
    const moved = reschedule('', record, wall, NOW, TASK, BROKER);
    expect(readJob(after(record, moved.writes)).body.wish).toEqual({ want: 'reschedule', due: wall });
  });

  test('the latest wish counts, and an abort that was asked for stays asked for', () => {
    const wishes = (earlier: Wish, later: Wish): unknown => {
      const record = running({ wish: earlier });
      const { writes } =
        later.want === 'cancel'
          ? cancel('', record, later, NOW, TASK)
          : reschedule('', record, later.due, NOW, TASK, BROKER);
      return readJob(after(record, writes)).body.wish;
    };
    const move: Wish = { want: 'reschedule', due: { at: NOW } };
    expect(wishes({ ...CANCEL, abort: true }, CANCEL)).toEqual({ ...CANCEL, abort: true });
    expect(wishes(CANCEL, { ...CANCEL, abort: true })).toEqual({ ...CANCEL, abort: true });
    expect(wishes(CANCEL, CANCEL)).toEqual(CANCEL);
    expect(wishes(move, CANCEL)).toEqual(CANCEL);
    expect(wishes(CANCEL, move)).toEqual(move);
  });

  test('its unsent messages stay promised', () => {
    const outbox = [{ message: { id: 'm', queue: 'q', body: new Uint8Array(), deliverAt: NOW }, wakeAt: NOW }];
    const record = running({}, { outbox });
    expect(after(record, cancel('', record, CANCEL, NOW, TASK).writes).outbox).toEqual(outbox);
  });
});

describe('E2: an edit of a job that goes on raises the generation', () => {
  test('reschedule: another due time, another message, the same time of placing', () => {
    const record = standing({ wall: { wall: '2027-01-16T12:00:00.000', timezone: 'UTC' }, unknownSince: 1 });
    const { answer, writes } = reschedule('', record, { at: NOW + 5 }, NOW, TASK, BROKER);
    expect(answer).toBe('done');
    const moved = after(record, writes);
    expect(moved.generation).toBe(NOW * 1000);
    expect(moved.generation).toBeGreaterThan(record.generation);
    expect(moved).toMatchObject({ state: 'scheduled', dueAt: NOW + 5, expiresAt: undefined });
    expect(moved.outbox.map(({ message }) => message.deliverAt)).toEqual([NOW + 5]);
    const { body } = readJob(moved);
    expect(body.placedAt).toBe(NOW - DAY_MS);
    expect(body).not.toHaveProperty('wall');
    expect(body).not.toHaveProperty('unknownSince');
  });

  test('redrive does too', () => {
    const record = standing({}, {}, (job) => close(job, 'dead', NOW, TASK, { reason: 'gave up' }));
    expect(after(record, redrive(record, undefined, NOW, BROKER).writes).generation).toBe(NOW * 1000);
  });

  test('also when the ledger has forgotten the time', () => {
    const record = { ...standing(), generation: NOW * 1000 + 5 };
    const { writes } = reschedule('', record, { at: NOW + 5 }, NOW, TASK, BROKER);
    expect(after(record, writes).generation).toBe(NOW * 1000 + 6);
  });
});

describe('E3: the answer is honest', () => {
  test.each(amendments.slice(0, 2))('%s: settled is settled', (_name, amendment) => {
    for (const state of SETTLED) {
      const record = standing({ starts: 2 }, {}, (job) => close(job, state, NOW, TASK));
      expect(amendment(record)).toMatchObject({ answer: 'settled', attempts: 2, writes: [] });
    }
  });

  test('how many attempts had begun, those without a word included', () => {
    const record = running({ starts: 2 }, { interrupted: [LEASE] });
    for (const [, amendment] of amendments) expect(amendment(record).attempts).toBe(4);
  });

  test('cancel: it is remembered by its own keep, if it has one', () => {
    const record = standing({ overrides: { keep: '9d' } });
    const gone = after(record, cancel('', record, CANCEL, NOW, TASK).writes);
    expect(gone.expiresAt).toBe(NOW + 9 * DAY_MS);
  });

  test('cancel: it is settled, and its key learns how long to live', () => {
    const record = standing({ starts: 1, failures: 1 });
    const { answer, attempts, writes } = cancel('', record, CANCEL, NOW, TASK);
    expect([answer, attempts]).toEqual(['done', 1]);
    const gone = after(record, writes);
    expect(gone).toMatchObject({ state: 'cancelled', wakeAt: undefined, outbox: [], expiresAt: NOW + 3 * DAY_MS });
    expect(writes[1]).toMatchObject({
      key: { kind: 'key', id: 't/k', partition: record.key.partition },
      content: { state: 'settled', expiresAt: NOW + 3 * DAY_MS, body: readJob(record).record.id },
    });
  });
});

describe('redrive', () => {
  test.each<[JobState, string]>([
    ['dead', 'done'],
    ['indeterminate', 'done'],
    ['done', 'settled'],
    ['cancelled', 'settled'],
    ['skipped', 'settled'],
  ])('a job that is %s is answered %s', (state, answer) => {
    const record = standing({}, {}, (job) => close(job, state as 'dead', NOW, TASK));
    const amendment = redrive(record, undefined, NOW, BROKER);
    expect(amendment.answer).toBe(answer);
    expect(amendment.writes.length).toBe(answer === 'done' ? 1 : 0);
  });

  test('a dead letter that is all that is left of a job is settled: there is nothing to run it with', () => {
    const record = standing({ lost: true }, {}, (job) => close(job, 'dead', NOW, TASK, { reason: 'record lost' }));
    expect(redrive(record, undefined, NOW, BROKER)).toMatchObject({ answer: 'settled', writes: [] });
  });

  test('an open job is answered running', () => {
    expect(redrive(standing(), undefined, NOW, BROKER)).toMatchObject({ answer: 'running', writes: [] });
  });

  test('begins with its counts at nought, and remembers its attempts', () => {
    const attempts = [{ number: 3, worker: 'w', startedAt: 1, endedAt: 2, outcome: 'failed' as const }];
    const body = { starts: 3, failures: 2, interruptions: 1, attempts, nominalAt: 5, unknownSince: 6 };
    const record = standing(body, {}, (job) => close(job, 'dead', NOW - 1, TASK, { reason: 'attempts exhausted' }));
    const again = after(record, redrive(record, undefined, NOW, BROKER).writes);
    expect(again).toMatchObject({ state: 'scheduled', dueAt: NOW, expiresAt: undefined });
    const { payload, starts, key, ...rest } = readJob(again).body;
    expect({ payload, starts, key, attempts: rest.attempts }).toEqual({
      payload: { n: 1 },
      starts: 3,
      key: 'k',
      attempts,
    });
    for (const field of ['failures', 'interruptions', 'nominalAt', 'unknownSince', 'reason', 'settledAt'] as const)
      expect(rest).not.toHaveProperty(field);
  });

  test('at a time, or on a wall', () => {
    const record = standing({}, {}, (job) => close(job, 'dead', NOW, TASK));
    expect(after(record, redrive(record, { at: NOW + 7 }, NOW, BROKER).writes).dueAt).toBe(NOW + 7);
    const wall = { wall: '2027-02-01T09:00:00.000', timezone: 'Europe/Berlin' };
    const walled = after(record, redrive(record, wall, NOW, BROKER).writes);
    expect(walled.dueAt).toBe(Date.parse('2027-02-01T08:00:00Z'));
    expect(readJob(walled).body.wall).toEqual(wall);
  });

  test('does not take its key back: another job may stand under it', () => {
    const record = standing({}, {}, (job) => close(job, 'dead', NOW, TASK));
    const { writes } = redrive(record, undefined, NOW, BROKER);
    expect(writes).toHaveLength(1);
    expect(readJob(after(record, writes)).body.unkeyed).toBe(true);
  });
});
