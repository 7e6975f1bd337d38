import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Ended, Outcome } from '../task/kind.js';
import { resolveTask, type ResolvedPolicy } from '../task/options.js';
import { giveUp, retryAfter, snooze } from '../task/ruling.js';
import { defineTask, type TaskOptions } from '../task/task.js';
import { candidate } from './candidate.js';
import { isSettled, type Job, type JobBody, type JobState, KEPT, type Wish, withBody } from './job.js';
import { close, countInterruptions, grant, keptError, later, settle } from './settle.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');
const DAY_MS = 86_400_000;
const HALF = { next: () => 0.5 };
const ENDED: Ended = { worker: 'w', startedAt: NOW - 1_000, endedAt: NOW };

const policyOf = (options: TaskOptions<unknown> = {}): ResolvedPolicy => resolveTask(defineTask<unknown>('t', options));
const PLAIN = policyOf({ retry: { backoff: { type: 'fixed', delay: '10s', jitter: 0 } } });
const NEVER = policyOf({ attempts: 'never-again' });

function jobDue(body: Partial<JobBody> = {}, dueAt = NOW - 1_000): Job {
  const context = { namespace: '', maxBytes: 1_000, now: NOW - DAY_MS, mint: () => 'id' };
  const { job } = candidate(resolveTask(defineTask('t')), { n: 1 }, { at: new Date(dueAt) }, context);
  return withBody(job, body);
}

const error = new Error('no such order');
const done: Outcome = { outcome: 'done', result: { paid: true } };
const failed: Outcome = { outcome: 'failed', error, verdict: 'retry' };
const refused: Outcome = { outcome: 'failed', error, verdict: 'dead' };
const ruled = (verdict: ReturnType<typeof giveUp>): Outcome => ({ outcome: 'failed', error, verdict });
const timedOut: Outcome = { outcome: 'timed-out', error, ended: true };
const ignored: Outcome = { outcome: 'timed-out', error, ended: false };
const snoozed: Outcome = { outcome: 'snoozed', forMs: 60_000 };
const interrupted: Outcome = { outcome: 'interrupted' };

const settling = (job: Job, outcome: Outcome, policy = PLAIN): Job => settle(job, outcome, ENDED, policy, HALF);

describe('what an outcome leads to', () => {
  test.each<[string, Outcome, JobState, number | undefined, string | undefined]>([
    ['done', done, 'done', undefined, undefined],
    ['failed', failed, 'scheduled', NOW + 10_000, undefined],
    ['failed, not to be retried', refused, 'dead', undefined, 'not retried'],
    ['gave up', ruled(giveUp('closed account')), 'dead', undefined, 'closed account'],
    ['asked for a later attempt', ruled(retryAfter('2h')), 'scheduled', NOW + 7_200_000, undefined],
    ['snoozed', snoozed, 'scheduled', NOW + 60_000, undefined],
    ['failed, to be snoozed', ruled(snooze('5m')), 'scheduled', NOW + 300_000, undefined],
    ['timed out', timedOut, 'scheduled', NOW + 10_000, undefined],
    ['timed out and goes on', ignored, 'scheduled', NOW + 10_000, undefined],
    ['interrupted', interrupted, 'scheduled', NOW, undefined],
  ])('%s', (_name, outcome, state, dueAt, reason) => {
    const after = settling(jobDue(), outcome);
    expect(after.state).toBe(state);
    if (dueAt !== undefined) expect(after.dueAt).toBe(dueAt);
    expect(after.body.reason).toBe(reason);
    expect(after.body.settledAt).toBe(state === 'scheduled' ? undefined : NOW);
    expect(after.body.starts).toBe(1);
  });

  test('a retry remembers when the job was meant to run', () => {
    const after = settling(jobDue(), failed);
    expect(after.body.nominalAt).toBe(NOW - 1_000);
    expect(settling(after, failed).body.nominalAt).toBe(NOW - 1_000);
  });

  test('a result is kept, null is not', () => {
    expect(settling(jobDue(), done).body.result).toEqual({ paid: true });
    expect(settling(jobDue(), { outcome: 'done', result: null }).body.result).toBeUndefined();
    expect(settling(jobDue(), { outcome: 'done', result: undefined }).body.result).toBeUndefined();
  });

  test('how long it is remembered', () => {
    expect(settling(jobDue(), done).expiresAt).toBe(NOW + 3 * DAY_MS);
    expect(settling(jobDue(), refused).expiresAt).toBe(NOW + 30 * DAY_MS);
    expect(settling(jobDue(), done, policyOf({ keep: '1h' })).expiresAt).toBe(NOW + 3_600_000);
    expect(settling(jobDue(), failed).expiresAt).toBeUndefined();
  });
});

describe('S1: only recorded failures count against the attempts', () => {
  test.each<[string, Outcome, Partial<JobBody>]>([
    ['failed', failed, { failures: 1 }],
    ['timed out', timedOut, { failures: 1 }],
    ['asked for a later attempt', ruled(retryAfter('1m')), { failures: 1 }],
    ['snoozed', snoozed, {}],
    ['failed, to be snoozed', ruled(snooze('1m')), {}],
    ['interrupted', interrupted, { interruptions: 1 }],
    ['done', done, {}],
  ])('%s', (_name, outcome, counts) => {
    const { failures, interruptions } = settling(jobDue(), outcome).body;
    expect({ failures, interruptions }).toEqual({ failures: undefined, interruptions: undefined, ...counts });
  });

  test.each<[Outcome, TaskOptions<unknown>, number]>([
    [failed, { attempts: 3 }, 3],
    [timedOut, { attempts: 3 }, 3],
    [failed, {}, 10],
    [interrupted, { attempts: 3, interruptions: 5 }, 5],
    [interrupted, {}, 10],
  ])('%o with %o is dead after so many', (outcome, options, most) => {
    let job = jobDue();
    for (let attempt = 1; attempt < most; attempt += 1) {
      job = settling(job, outcome, policyOf(options));
      expect(job.state).toBe('scheduled');
    }
    expect(settling(job, outcome, policyOf(options))).toMatchObject({ state: 'dead', body: { starts: most } });
  });

  test('snoozes never add up to anything', () => {
    let job = jobDue();
    for (let attempt = 0; attempt < 100; attempt += 1) job = settling(job, snoozed, policyOf({ attempts: 1 }));
    expect(job).toMatchObject({ state: 'scheduled', body: { starts: 100 } });
  });

  test('the backoff sees the number of failures, not of starts', () => {
    const seen: number[] = [];
    const policy = policyOf({ retry: { backoff: (failure) => ({ seconds: seen.push(failure) && failure }) } });
    const outcomes = [failed, interrupted, snoozed, failed];
    const last = outcomes.reduce((job, outcome) => settling(job, outcome, policy), jobDue());
    expect(seen).toEqual([1, 2]);
    expect(last.dueAt).toBe(NOW + 2_000);
  });
});

describe('until an age', () => {
  const policy = policyOf({ retry: { for: '1h', backoff: { type: 'fixed', delay: '40m', jitter: 0 } } });
  const born = NOW - 1_800_000;

  test('retries fall within it, the last one on its end', () => {
    const first = settling(jobDue({}, born), failed, policy);
    expect(first).toMatchObject({ state: 'scheduled', dueAt: born + 3_600_000 });
    const end = { ...ENDED, endedAt: born + 3_600_000 };
    expect(settle(first, failed, end, policy, HALF)).toMatchObject({
      state: 'dead',
      body: { reason: 'too old to retry' },
    });
  });

  test('the count does not matter, unless it is given too', () => {
    expect(settling(jobDue({ failures: 50 }, born), failed, policy).state).toBe('scheduled');
    const both = policyOf({ attempts: 2, retry: { for: '1h' } });
    expect(settling(jobDue({ failures: 1 }, born), failed, both).body.reason).toBe('attempts exhausted');
  });
});

describe('a backoff function that fails', () => {
  test.each<[string, () => never, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
      /its backoff failed: boom/,
    ],
    ['answers no duration', () => 'soon' as never, /its backoff failed: .*is not a duration/],
  ])('%s: the failure is recorded, and the job set aside with the reason', (_name, backoff, reason) => {
    expect(settling(jobDue(), failed, policyOf({ retry: { backoff } }))).toMatchObject({
      state: 'dead',
      body: { failures: 1, reason: expect.stringMatching(reason) },
    });
  });
});

describe('S2: done stays done, set aside stays set aside; what would run again yields to a wish', () => {
  const cancel: Wish = { want: 'cancel', abort: false, reason: 'cancelled' };
  const move: Wish = { want: 'reschedule', due: { at: NOW + DAY_MS } };

  test.each<[string, Outcome, Wish, Partial<Job>]>([
    ['done, cancelled', done, cancel, { state: 'done' }],
    ['done, rescheduled', done, move, { state: 'done' }],
    ['failed, cancelled', failed, cancel, { state: 'cancelled' }],
    ['failed, rescheduled', failed, move, { state: 'scheduled', dueAt: NOW + DAY_MS }],
    ['snoozed, cancelled', snoozed, cancel, { state: 'cancelled' }],
    ['snoozed, rescheduled', snoozed, move, { state: 'scheduled', dueAt: NOW + DAY_MS }],
    ['interrupted, cancelled', interrupted, cancel, { state: 'cancelled' }],
    ['interrupted, rescheduled', interrupted, move, { state: 'scheduled', dueAt: NOW + DAY_MS }],
    ['gave up, cancelled', ruled(giveUp('no')), cancel, { state: 'dead' }],
  ])('%s', (_name, outcome, wish, expected) => {
    const after = settling(jobDue({ wish }), outcome);
    expect(after).toMatchObject(expected);
    expect(after.body.wish).toBeUndefined();
  });

  test('a wall time that was wished for is kept as one', () => {
    const wall = { wall: '2027-02-01T09:00:00.000', timezone: 'Europe/Berlin' };
    const after = settling(jobDue({ wish: { want: 'reschedule', due: wall } }), failed);
    expect(after).toMatchObject({ dueAt: Date.parse('2027-02-01T08:00:00Z'), body: { wall } });
  });
});

describe('S3: a never-again job whose attempt began is never scheduled again', () => {
  test.each<[string, Outcome, JobState]>([
    ['done', done, 'done'],
    ['failed', failed, 'dead'],
    ['not to be retried', refused, 'dead'],
    ['asked for a later attempt', ruled(retryAfter('1m')), 'dead'],
    ['gave up', ruled(giveUp('no')), 'dead'],
    ['timed out and ended', timedOut, 'dead'],
    ['timed out and goes on', ignored, 'indeterminate'],
    ['interrupted', interrupted, 'indeterminate'],
  ])('%s', (_name, outcome, state) => {
    expect(settling(jobDue(), outcome, NEVER).state).toBe(state);
    const wish: Wish = { want: 'reschedule', due: { at: NOW + DAY_MS } };
    expect(settling(jobDue({ wish }), outcome, NEVER).state).toBe(state);
  });

  test('unless its handler says itself that it should run again', () => {
    expect(settling(jobDue(), snoozed, NEVER).state).toBe('scheduled');
  });
});

describe('S4: what others have settled meanwhile stays settled as it is, unless the attempt is done', () => {
  const cancelled = close(jobDue(), 'cancelled', NOW - 500, PLAIN, { reason: 'cancelled' });

  test.each<[string, Outcome]>([
    ['failed', failed],
    ['gave up', ruled(giveUp('no'))],
    ['snoozed', snoozed],
    ['interrupted', interrupted],
  ])('%s', (_name, outcome) => {
    const after = settling(cancelled, outcome);
    expect(after).toMatchObject({ state: 'cancelled', dueAt: cancelled.dueAt, expiresAt: cancelled.expiresAt });
    expect(after.body).toMatchObject({ reason: 'cancelled', settledAt: NOW - 500, starts: 1 });
  });

  test('done: the effect exists, so it says so, and no longer why it was cancelled', () => {
    const after = settling(cancelled, done);
    expect(after.state).toBe('done');
    expect(after.body.reason).toBeUndefined();
  });
});

describe('what is kept of attempts', () => {
  test('who, when, how, and the error', () => {
    expect(settling(jobDue(), failed).body.attempts).toEqual([
      {
        number: 1,
        worker: 'w',
        startedAt: NOW - 1_000,
        endedAt: NOW,
        outcome: 'failed',
        error: { name: 'Error', message: 'no such order', stack: expect.stringContaining('no such order') },
      },
    ]);
  });

  test('the latest twenty, with their own numbers', () => {
    let job = jobDue();
    for (let attempt = 0; attempt < 25; attempt += 1) job = settling(job, snoozed);
    expect(job.body.attempts?.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, index) => index + 6));
  });

  test('what an attempt has put right is forgotten', () => {
    const after = settling(jobDue({ sweeps: 3, unknownSince: NOW - 9 }), failed);
    expect(JSON.parse(JSON.stringify(after.body))).not.toMatchObject({ sweeps: 3 });
    expect(after.body.unknownSince).toBeUndefined();
  });
});

describe('keptError', () => {
  class Refused extends Error {
    override name = 'Refused';
    constructor(readonly code: unknown) {
      super('x'.repeat(5_000));
    }
  }

  test.each<[string, unknown, object]>([
    ['a text', 'no', { name: 'Error', message: 'no' }],
    ['nothing', undefined, { name: 'Error', message: 'undefined' }],
    ['a long text', 'x'.repeat(5_000), { name: 'Error', message: 'x'.repeat(KEPT.message) }],
    ['a code', new Refused('E_NO'), { name: 'Refused', message: 'x'.repeat(KEPT.message), code: 'E_NO' }],
    ['a number for a code', new Refused(404), { code: '404' }],
  ])('%s', (_name, value, expected) => {
    expect(keptError(value)).toMatchObject(expected);
  });

  test('of no code that is no text, and no long stack', () => {
    const kept = keptError(new Refused({ deep: true }));
    expect(kept).not.toHaveProperty('code');
    expect(kept.stack!.length).toBeLessThanOrEqual(KEPT.stack);
  });
});

describe('S5: a settled record outlives the last message that was sent for it', () => {
  test.each<[string, number | undefined, number]>([
    ['no message', undefined, NOW + 3 * DAY_MS],
    ['one that has come', NOW - DAY_MS, NOW + 3 * DAY_MS],
    ['one that comes in 60 days', NOW + 60 * DAY_MS, NOW + 63 * DAY_MS],
  ])('%s', (_name, lastMessageAt, expiresAt) => {
    const job = jobDue(lastMessageAt === undefined ? {} : { lastMessageAt });
    expect(close(job, 'cancelled', NOW, PLAIN).expiresAt).toBe(expiresAt);
  });
});

test('grant and later: two ways to another due time', () => {
  const moved = grant(jobDue({ nominalAt: 5 }), { want: 'reschedule', due: { at: NOW + 1 } }, NOW, PLAIN);
  expect(moved).toMatchObject({ dueAt: NOW + 1 });
  expect(moved.body.nominalAt).toBeUndefined(); // it is meant to run then
  expect(later(jobDue(), NOW + 1)).toMatchObject({ dueAt: NOW + 1, body: { nominalAt: NOW - 1_000 } });
  expect(later(later(jobDue(), NOW + 1), NOW - 1_000).body.nominalAt).toBeUndefined(); // back where it was meant to be
  expect(grant(jobDue(), { want: 'reschedule', due: { at: -5 } }, NOW, PLAIN).dueAt).toBe(0);
});

test('countInterruptions counts each lease once, in its own words', () => {
  const leases = [
    { holder: 'a', nonce: '1', since: 1, until: 5 },
    { holder: 'b', nonce: '2', since: 6, until: 4 },
  ];
  const { body } = countInterruptions(jobDue({ starts: 3, interruptions: 1 }), leases);
  expect(body).toMatchObject({ starts: 5, interruptions: 3 });
  expect(body.attempts).toMatchObject([
    { number: 4, worker: 'a', startedAt: 1, endedAt: 5 },
    { number: 5, worker: 'b', startedAt: 6, endedAt: 6 },
  ]);
});

test('for any outcomes in any order: the counts add up, and it is never due before it may be', () => {
  const outcomes = fc.constantFrom(done, failed, refused, snoozed, timedOut, ignored, interrupted, ruled(snooze('1m')));
  const policies = fc.constantFrom(PLAIN, NEVER, policyOf({ attempts: 2 }), policyOf({ retry: { for: '1h' } }));
  fc.assert(
    fc.property(fc.array(outcomes, { minLength: 1, maxLength: 19 }), policies, (run, policy) => {
      let job = jobDue();
      for (const outcome of run) {
        if (isSettled(job)) break;
        job = settling(job, outcome, policy);
        if (!isSettled(job)) expect(job.dueAt).toBeGreaterThanOrEqual(NOW);
      }
      const { starts = 0, failures = 0, interruptions = 0, attempts = [] } = job.body;
      const quiet = attempts.filter(({ outcome }) => outcome === 'done' || outcome === 'snoozed').length;
      expect(starts).toBe(failures + interruptions + quiet);
      expect(attempts).toHaveLength(starts);
      expect(job.expiresAt === undefined).toBe(!isSettled(job));
    }),
  );
});
