import { describe, expect, test } from 'vitest';
import type { Lease, LedgerRecord } from '../ports/ledger.js';
import { resolveTask } from '../task/options.js';
import { defineTask } from '../task/task.js';
import { candidate } from './candidate.js';
import { type Job, type JobBody, withBody, writeJob } from './job.js';
import { close } from './settle.js';
import { viewJob } from './view.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');
const TASK = resolveTask(defineTask('t'));
const LEASE: Lease = { holder: 'w2', nonce: 'n', since: NOW, until: NOW + 30_000 };
const CRASHED: Lease = { holder: 'w1', nonce: 'm', since: NOW - 60_000, until: NOW - 30_000 };

function recordOf(body: Partial<JobBody> = {}, more: Partial<LedgerRecord> = {}): LedgerRecord {
  const context = { namespace: 'app', maxBytes: 1_000, now: NOW - 5, mint: () => 'id' };
  const job = withBody(candidate(TASK, { n: 1 }, { at: new Date(NOW), key: 'k', queue: 'mail' }, context).job, body);
  return stored(job, job.dueAt, more);
}
function stored(job: Job, wakeAt: number | undefined, more: Partial<LedgerRecord> = {}): LedgerRecord {
  return {
    ...writeJob(job, wakeAt),
    key: job.record,
    version: 1,
    fence: 0,
    lease: undefined,
    interrupted: [],
    ...more,
  };
}

test('a job that waits', () => {
  expect(viewJob('app', recordOf())).toEqual({
    id: expect.stringMatching(/^id-[0-9a-f]{2}$/),
    task: 't',
    queue: 'mail',
    key: 'k',
    state: 'scheduled',
    payload: { n: 1 },
    headers: {},
    placedAt: new Date(NOW - 5),
    nominalAt: new Date(NOW),
    dueAt: new Date(NOW),
    settledAt: undefined,
    attemptsBegun: 0,
    failures: 0,
    interruptions: 0,
    attempts: [],
    holder: undefined,
    progress: undefined,
    result: undefined,
    reason: undefined,
    error: undefined,
  });
});

describe('a job that is held', () => {
  test('is running, and says who holds it', () => {
    const view = viewJob('app', recordOf({ progress: 0.5 }, { lease: LEASE }));
    expect(view).toMatchObject({ state: 'running', attemptsBegun: 1, progress: 0.5 });
    expect(view.holder).toEqual({ worker: 'w2', since: new Date(NOW), until: new Date(NOW + 30_000) });
    expect(view.attempts).toEqual([{ number: 1, worker: 'w2', startedAt: new Date(NOW), outcome: 'running' }]);
  });

  test('shows attempts that ended without a word between the others', () => {
    const past = [{ number: 1, worker: 'w0', startedAt: 1, endedAt: 2, outcome: 'failed' as const, error: oops }];
    const record = recordOf({ starts: 1, failures: 1, attempts: past }, { lease: LEASE, interrupted: [CRASHED] });
    const view = viewJob('app', record);
    expect(view.attempts.map(({ number, worker, outcome }) => [number, worker, outcome])).toEqual([
      [1, 'w0', 'failed'],
      [2, 'w1', 'interrupted'],
      [3, 'w2', 'running'],
    ]);
    expect(view).toMatchObject({ attemptsBegun: 3, failures: 1, interruptions: 1, error: oops });
  });
});

const oops = { name: 'Error', message: 'oops' };

test('a settled job says when and why, and its last error', () => {
  const job = close(withBody(readable(), { starts: 1 }), 'dead', NOW + 9, TASK, { reason: 'gave up' });
  const attempts = [{ number: 1, worker: 'w', startedAt: 1, endedAt: 2, outcome: 'failed' as const, error: oops }];
  expect(viewJob('', stored(withBody(job, { attempts }), undefined))).toMatchObject({
    state: 'dead',
    reason: 'gave up',
    settledAt: new Date(NOW + 9),
    error: oops,
    attempts: [{ startedAt: new Date(1), endedAt: new Date(2), error: oops }],
  });
  expect(viewJob('', stored(close(readable(), 'done', NOW, TASK, { result: { sent: 3 } }), undefined)).result).toEqual({
    sent: 3,
  });
});

function readable(): Job {
  return candidate(TASK, {}, {}, { namespace: '', maxBytes: 1_000, now: NOW, mint: () => 'id' }).job;
}
