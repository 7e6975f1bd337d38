import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lease, LedgerRecord } from '../ports/ledger.js';
import { resolvePolicy, resolveTask, type ResolvedPolicy } from '../task/options.js';
import { defineTask, type TaskOptions } from '../task/task.js';
import { type Arrival, arrive, hop, PAUSED_MS, UNKNOWN } from './arrive.js';
import { candidate } from './candidate.js';
import { GRACE_MS } from './carriage.js';
import { type Job, type JobBody, JOB_READER, withBody } from './job.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');
const DAY_MS = 86_400_000;
const policyOf = (options: TaskOptions<unknown> = {}): ResolvedPolicy => resolveTask(defineTask<unknown>('t', options));

/** A job that is due now, unless `body` or `dueAt` says otherwise. */
function jobDue(body: Partial<JobBody> = {}, dueAt = NOW): Job {
  const context = { namespace: '', maxBytes: 1_000, now: NOW - DAY_MS, mint: () => 'id' };
  const { job } = candidate(resolveTask(defineTask('t')), { n: 1 }, { at: new Date(dueAt) }, context);
  return withBody(job, body);
}

/** Leases that ended without a word, at 10 s each. */
function silent(count: number): Lease[] {
  return Array.from({ length: count }, (_, index) => {
    const since = NOW - DAY_MS + index * 20_000;
    return { holder: `w${index}`, nonce: `n${index}`, since, until: since + 10_000 };
  });
}

interface Circumstances {
  now?: number;
  policy?: ResolvedPolicy | undefined;
  paused?: boolean;
  interrupted?: readonly Lease[];
  outbox?: LedgerRecord['outbox'];
  wakeAt?: number;
}

function arriving(job: Job, { interrupted = [], outbox = [], wakeAt, ...context }: Circumstances = {}): Arrival {
  return arrive(
    job,
    { interrupted, outbox, wakeAt },
    { now: NOW, policy: policyOf(), paused: false, undecided: false, ...context },
  );
}

test('what is due runs, as it was delivered', () => {
  const job = jobDue();
  expect(arriving(job)).toEqual({ to: 'run', job, late: false });
});

describe('A1: nothing starts before its due time', () => {
  test('what comes early hops on, with its hop counted', () => {
    const arrival = arriving(jobDue({ hop: 2 }, NOW + 1));
    expect(arrival).toMatchObject({ to: 'write', why: 'hop', wakeAt: NOW + 1, job: { body: { hop: 3 } } });
  });

  test('a wall time that its zone has moved on is waited for', () => {
    const wall = { wall: '2027-01-15T14:00:00.000', timezone: 'Europe/Berlin' }; // 13:00 UTC, an hour from now
    expect(arriving(jobDue({ wall }, NOW - 1))).toMatchObject({
      why: 'hop',
      wakeAt: NOW + 3_600_000,
      job: { dueAt: NOW + 3_600_000 },
    });
  });

  test('a wall time that has come runs', () => {
    const wall = { wall: '2027-01-15T13:00:00.000', timezone: 'Europe/Berlin' };
    expect(arriving(jobDue({ wall }))).toMatchObject({ to: 'run', job: { dueAt: NOW } });
  });

  test('for any job that has not been touched since', () => {
    const ms = fc.integer({ min: -10 * DAY_MS, max: 10 * DAY_MS });
    const states = fc.record({
      paused: fc.boolean(),
      interrupted: fc.integer({ min: 0, max: 12 }).map(silent),
      never: fc.boolean(),
    });
    fc.assert(
      fc.property(ms, states, (offsetMs, { paused, interrupted, never }) => {
        const policy = policyOf(never ? { attempts: 'never-again' } : {});
        const arrival = arriving(jobDue({}, NOW + offsetMs), { paused, interrupted, policy });
        if (offsetMs > 0) expect(arrival.to).toBe('write');
        if (arrival.to === 'run') expect(arrival.job.dueAt).toBeLessThanOrEqual(NOW);
        if (arrival.to === 'write' && arrival.why === 'hop') expect(arrival.wakeAt).toBeGreaterThan(NOW); // I9: no busy loop
      }),
    );
  });
});

describe('A2: a wish that came before the start is granted instead of an attempt', () => {
  test('cancel', () => {
    const wish = { want: 'cancel', abort: false, reason: 'cancelled' } as const;
    const arrival = arriving(jobDue({ wish }));
    expect(arrival).toMatchObject({ why: 'settled', job: { state: 'cancelled', body: { reason: 'cancelled' } } });
    expect(arrival.job.body.wish).toBeUndefined();
  });

  test('reschedule, to a later time: it hops there, and that is its nominal time now', () => {
    const arrival = arriving(jobDue({ nominalAt: NOW - 5, wish: { want: 'reschedule', due: { at: NOW + DAY_MS } } }));
    expect(arrival).toMatchObject({ why: 'hop', wakeAt: NOW + DAY_MS, job: { dueAt: NOW + DAY_MS } });
    expect(arrival.job.body).not.toMatchObject({ wish: expect.anything() });
    expect(arrival.job.body.nominalAt).toBeUndefined();
  });

  test('reschedule, to a time that has passed: it runs', () => {
    const arrival = arriving(jobDue({ wish: { want: 'reschedule', due: { at: NOW - 1 } } }));
    expect(arrival).toMatchObject({ to: 'run', job: { dueAt: NOW - 1 } });
  });
});

describe('A3: attempts that end without a word do not go on for ever', () => {
  const never = policyOf({ attempts: 'never-again' });

  test.each<[string, number, number, ResolvedPolicy, string]>([
    ['one of three', 0, 1, policyOf({ interruptions: 3 }), 'scheduled'],
    ['the second of three', 1, 1, policyOf({ interruptions: 3 }), 'scheduled'],
    ['the third of three', 2, 1, policyOf({ interruptions: 3 }), 'dead'],
    ['three at once', 0, 3, policyOf({ interruptions: 3 }), 'dead'],
    ['the ninth, by default', 8, 1, policyOf(), 'scheduled'],
    ['the tenth, by default', 9, 1, policyOf(), 'dead'],
    ['the first of a never-again job', 0, 1, never, 'indeterminate'],
    ['one of a never-again job that another engine has counted', 1, 0, never, 'indeterminate'],
  ])('%s', (_name, counted, fresh, policy, state) => {
    const job = jobDue(counted === 0 ? {} : { interruptions: counted, starts: counted });
    const arrival = arriving(job, { policy, interrupted: silent(fresh) });
    expect(arrival.job.state).toBe(state);
    expect(arrival.to).toBe(state === 'scheduled' ? 'run' : 'write');
    expect(arrival.job.body.interruptions).toBe(counted + fresh);
    expect(arrival.job.body.starts).toBe(counted + fresh);
  });

  test('each becomes a past attempt: who, from when, until when', () => {
    const [first, second] = silent(2);
    expect(arriving(jobDue(), { interrupted: [first!, second!] }).job.body.attempts).toEqual([
      { number: 1, worker: 'w0', startedAt: first!.since, endedAt: first!.until, outcome: 'interrupted' },
      { number: 2, worker: 'w1', startedAt: second!.since, endedAt: second!.until, outcome: 'interrupted' },
    ]);
  });

  test('they do not count as failures', () => {
    const policy = policyOf({ attempts: 1 });
    expect(arriving(jobDue(), { policy, interrupted: silent(1) })).toMatchObject({ to: 'run' });
  });

  test('a never-again job is parked, whatever somebody wished meanwhile', () => {
    for (const wish of [
      { want: 'cancel', abort: true, reason: 'cancelled' },
      { want: 'reschedule', due: { at: NOW + DAY_MS } },
    ] as const) {
      const arrival = arriving(jobDue({ wish }), { policy: never, interrupted: silent(1) });
      expect(arrival).toMatchObject({ why: 'settled', job: { state: 'indeterminate' } });
    }
  });

  test('no way round it: an engine that does not know the task, then one that does', () => {
    const first = arriving(jobDue({ neverAgain: true }), { policy: undefined, interrupted: silent(1) });
    expect(first).toMatchObject({ why: 'given-back', job: { state: 'scheduled' } });
    const second = arriving(first.job, { policy: never }); // the lease is no longer in the record
    expect(second).toMatchObject({ why: 'settled', job: { state: 'indeterminate', body: { reason: 'interrupted' } } });
  });

  test('no way round it: a newer version gave it back', () => {
    const newer = jobDue({ neverAgain: true, reader: JOB_READER + 1 });
    expect(arriving(newer, { interrupted: silent(1) }).job.body).toMatchObject({ interruptions: 1, starts: 1 });
  });

  test('no way round it: rescheduled while nobody had heard of the crash', () => {
    const wish = { want: 'reschedule', due: { at: NOW + DAY_MS } } as const;
    const policy = policyOf({ interruptions: 1 });
    expect(arriving(jobDue({ wish }), { policy, interrupted: silent(1) }).job.state).toBe('dead');
  });
});

describe('A4: what this engine does not know is given back for a while, then set aside', () => {
  const strangers: [string, Partial<JobBody>, Circumstances, string][] = [
    ['an unknown task', {}, { policy: undefined }, 'unknown task'],
    ['a newer version', { reader: JOB_READER + 1 }, {}, 'written by a newer version'],
    [
      'a newer version of an unknown task',
      { reader: JOB_READER + 1 },
      { policy: undefined },
      'written by a newer version',
    ],
  ];

  test.each(strangers)('%s', (_name, body, circumstances, reason) => {
    const first = arriving(jobDue(body), circumstances);
    expect(first).toMatchObject({
      why: 'given-back',
      wakeAt: NOW + UNKNOWN.everyMs,
      job: { state: 'scheduled', body: { unknownSince: NOW } },
    });

    const almost = arriving(first.job, { ...circumstances, now: NOW + UNKNOWN.forMs - 1 });
    expect(almost).toMatchObject({ why: 'given-back', job: { body: { unknownSince: NOW } } });

    const last = arriving(almost.job, { ...circumstances, now: NOW + UNKNOWN.forMs });
    expect(last).toMatchObject({ why: 'settled', job: { state: 'dead', body: { reason } } });
  });

  test('it is remembered by its own keep, where the task that has one is unknown', () => {
    const body = { unknownSince: NOW - UNKNOWN.forMs };
    const gone = (more: Partial<JobBody>): Job => arriving(jobDue({ ...body, ...more }), { policy: undefined }).job;
    expect(gone({ overrides: { keep: '9d' } }).expiresAt).toBe(NOW + 9 * DAY_MS);
    expect(gone({}).expiresAt).toBe(NOW + 30 * DAY_MS);
  });

  test('what a newer version wrote is kept as it is', () => {
    const body = { reader: JOB_READER + 1, mood: 'blue', payload: { n: 1 } } as Partial<JobBody>;
    expect(arriving(jobDue(body)).job.body).toMatchObject(body);
  });

  test('what this version may read, it reads', () => {
    expect(arriving(jobDue({ reader: JOB_READER })).to).toBe('run');
  });

  test('an engine that knows the task begins the while anew', () => {
    const unknown = jobDue({ unknownSince: NOW - 1 });
    const paused = arriving(unknown, { paused: true });
    expect(paused.job.body.unknownSince).toBeUndefined();
    expect(arriving(paused.job, { policy: undefined, now: NOW + UNKNOWN.forMs }).job.state).toBe('scheduled');
  });
});

describe('a paused task', () => {
  test('is looked at again in a moment', () => {
    expect(arriving(jobDue(), { paused: true })).toMatchObject({ why: 'paused', wakeAt: NOW + PAUSED_MS });
  });

  test.each([
    ['on time', NOW + GRACE_MS, 0],
    ['late', NOW - 9_000 + GRACE_MS, 0],
    ['7 s early, for the broker is ahead', NOW + 7_000 + GRACE_MS, 7_000],
    ['an hour early', NOW + 3_600_000, 60_000],
  ])('A6: stays away for its moment if its message came %s', (_, wakeAt, more) => {
    expect(arriving(jobDue(), { paused: true, wakeAt })).toMatchObject({ wakeAt: NOW + PAUSED_MS + more });
    const unknown = arriving(jobDue(), { policy: undefined, wakeAt });
    expect(unknown).toMatchObject({ wakeAt: NOW + UNKNOWN.everyMs + more });
  });

  test('A6: the same before its message is marked as sent', () => {
    const message = { id: 'm', queue: 'q', deliverAt: NOW + 7_000, body: new Uint8Array() };
    const outbox = [{ message, wakeAt: NOW }];
    expect(arriving(jobDue(), { paused: true, outbox, wakeAt: NOW })).toMatchObject({
      wakeAt: NOW + PAUSED_MS + 7_000,
    });
  });

  test('is still cancelled, parked and hopped', () => {
    const wish = { want: 'cancel', abort: false, reason: 'cancelled' } as const;
    expect(arriving(jobDue({ wish }), { paused: true }).job.state).toBe('cancelled');
    expect(arriving(jobDue({}, NOW + 1), { paused: true })).toMatchObject({ why: 'hop' });
    const never = policyOf({ attempts: 'never-again' });
    expect(arriving(jobDue(), { paused: true, policy: never, interrupted: silent(1) }).job.state).toBe('indeterminate');
  });
});

describe('maxLateness', () => {
  const of = (then: 'skip' | 'dead' | 'run'): ResolvedPolicy => policyOf({ maxLateness: { of: '10m', then } });
  const LATE = NOW - 600_000;

  test.each<['skip' | 'dead' | 'run', number, object]>([
    ['skip', LATE + 1, { to: 'run', late: false }],
    ['skip', LATE, { why: 'settled', job: { state: 'skipped', body: { reason: 'too late' } } }],
    ['dead', LATE + 1, { to: 'run', late: false }],
    ['dead', LATE, { why: 'settled', job: { state: 'dead', body: { reason: 'too late' } } }],
    ['run', LATE + 1, { to: 'run', late: false }],
    ['run', LATE, { to: 'run', late: true }],
  ])('%s, due at %d', (then, dueAt, expected) => {
    expect(arriving(jobDue({}, dueAt), { policy: of(then) })).toMatchObject(expected);
  });

  test('is for the first attempt only', () => {
    expect(arriving(jobDue({ starts: 1 }, LATE), { policy: of('skip') })).toMatchObject({ to: 'run', late: false });
    expect(arriving(jobDue({}, LATE), { policy: of('skip'), interrupted: silent(1) })).toMatchObject({ late: false });
  });

  test('is counted from the nominal time, so a hop or a landing does not hide it', () => {
    expect(arriving(jobDue({ nominalAt: LATE }), { policy: of('skip') }).job.state).toBe('skipped');
  });

  test('can be overridden for one job', () => {
    const policy = resolvePolicy(resolveTask(defineTask('t', { maxLateness: { of: '10m', then: 'skip' } })), {
      maxLateness: { of: '1h', then: 'skip' },
    });
    expect(arriving(jobDue({}, LATE), { policy })).toMatchObject({ to: 'run', late: false });
  });
});

test('hop resolves a wall time by the zone data of today', () => {
  const wall = { wall: '2027-07-01T09:00:00.000', timezone: 'Europe/Berlin' };
  expect(hop(jobDue({ wall }, NOW))).toMatchObject({ dueAt: Date.parse('2027-07-01T07:00:00Z'), body: { hop: 1 } });
  expect(hop(jobDue({}, NOW + 5))).toMatchObject({ dueAt: NOW + 5, body: { hop: 1 } });
});

describe('A5: a never-again job is claimed durably before it begins', () => {
  const policy = policyOf({ attempts: 'never-again' });

  test('a record that does not say that it is one is marked, and comes back at once', () => {
    const arrival = arriving(jobDue(), { policy });
    expect(arrival).toMatchObject({ to: 'write', why: 'marked', wakeAt: NOW, job: { body: { neverAgain: true } } });
  });

  test('a marked one runs', () => {
    expect(arriving(jobDue({ neverAgain: true }), { policy })).toMatchObject({ to: 'run' });
  });
});

test('A4: a wall time in a zone that this host does not know is given back, and dead after a while', () => {
  const wall = { wall: '2027-01-15T14:00:00.000', timezone: 'Mars/Olympus' };
  expect(arriving(jobDue({ wall }))).toMatchObject({ why: 'given-back', job: { body: { unknownSince: NOW } } });
  const late = arriving(jobDue({ wall, unknownSince: NOW - UNKNOWN.forMs }));
  expect(late).toMatchObject({ why: 'settled', job: { state: 'dead', body: { reason: 'unknown time zone' } } });
});

test('A7: what was ended after it had been acquired stays as it ended', () => {
  const wish = { want: 'cancel', abort: true, reason: 'overlap' } as const;
  const ended: Job = { ...jobDue({ wish, reason: 'overlap' }), state: 'cancelled' };
  for (const policy of [policyOf({ attempts: 'never-again' }), policyOf({ interruptions: 1 }), undefined]) {
    const arrival = arriving(ended, { policy, interrupted: silent(2) });
    expect(arrival).toMatchObject({ to: 'write', why: 'settled', job: { state: 'cancelled' } });
    expect(arrival.job.body).toMatchObject({ reason: 'overlap', interruptions: 2 });
    expect(arrival.job.body.wish).toBeUndefined();
  }
});
