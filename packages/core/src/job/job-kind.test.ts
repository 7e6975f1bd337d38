import { describe, expect, test } from 'vitest';
import { decodeEnvelope, type Envelope } from '../message/envelope.js';
import type { Lease, LedgerRecord, RecordContent, Write } from '../ports/ledger.js';
import { catalogOf } from '../task/catalog.js';
import type { Arrived, Kind, Outcome, Step, Work } from '../task/kind.js';
import { resolveTask } from '../task/options.js';
import { implement } from '../task/definition.js';
import { defineTask, type TaskOptions } from '../task/task.js';
import { candidate, type ScheduleFields } from './candidate.js';
import { GRACE_MS, UNSENT_MS } from './carriage.js';
import { bodyText, type Job, type JobBody, readJob, withBody, writeJob } from './job.js';
import { jobKind } from './job-kind.js';
import { readBody } from './job-body.js';
import { close } from './settle.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');
const DAY_MS = 86_400_000;
const LEASE: Lease = { holder: 'w', nonce: 'n', since: NOW, until: NOW + 30_000 };
const CRASHED: Lease = { holder: 'w0', nonce: 'm', since: NOW - 60_000, until: NOW - 30_000 };
const OVER = { worker: 'w', startedAt: NOW, endedAt: NOW + 100 };
const oops = new Error('oops');

const taskOf = (options: TaskOptions<unknown> = {}): ReturnType<typeof defineTask<unknown>> => defineTask('t', options);
function kindOf(options: TaskOptions<unknown> = {}, fused = false): Kind {
  const catalog = catalogOf([implement(taskOf(options), () => undefined)]);
  const carriage = { fused, horizonMs: DAY_MS, earlyMs: 0 };
  return jobKind({ namespace: 'app', catalog, carriage: () => carriage, random: { next: () => 0 } });
}
function jobOf(fields: ScheduleFields = {}, body: Partial<JobBody> = {}): Job {
  const context = { namespace: 'app', maxBytes: 1_000, now: NOW - 5, mint: () => 'id' };
  return withBody(candidate(resolveTask(taskOf()), { n: 1 }, { in: '5ms', ...fields }, context).job, body);
}
function stored(job: Job, more: Partial<LedgerRecord> = {}): LedgerRecord {
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
const granted = (job: Job, more: Partial<LedgerRecord> = {}): LedgerRecord =>
  stored(job, { fence: 5, lease: LEASE, ...more });

function put(step: { readonly writes: readonly Write[] }, at = 0): Extract<Write, { do: 'put' }> {
  const write = step.writes[at];
  if (write?.do !== 'put') throw new Error('nothing is put');
  return write;
}
function toRun(arrived: Arrived): Work {
  if (arrived.to !== 'run') throw new Error('it does not run');
  return arrived.work;
}
function toWrite(arrived: Arrived): Step {
  if (arrived.to !== 'write') throw new Error('it runs');
  return arrived.step;
}
const told = (step: Step): unknown[] => step.happenings().map(({ event, data }) => [event, data]);
const bodyOf = (content: RecordContent): JobBody | undefined => readBody(content.body);

describe('arrive', () => {
  test('what is due is work: who it is, and its numbers', () => {
    const record = granted(jobOf({ key: 'k', headers: { a: 'b' }, timeout: '5s' }, { starts: 2, failures: 1 }));
    expect(toRun(kindOf().arrive(record, NOW, false))).toMatchObject({
      id: expect.stringMatching(/^id-[0-9a-f]{2}$/),
      queue: 'default',
      key: 'k',
      payload: { n: 1 },
      headers: { a: 'b' },
      number: 3,
      failures: 1,
      nominalAt: NOW,
      dueAt: NOW,
      late: false,
      timeoutMs: 5_000,
    });
  });

  test('a write is by its holder, with the next message, and tells what happened', () => {
    const record = granted(jobOf({ in: '1h' }), { interrupted: [CRASHED] });
    const step = toWrite(kindOf().arrive(record, NOW, false));
    expect(put(step)).toMatchObject({ key: record.key, expect: { version: 7, fence: 5 } });
    expect(put(step).keepLease).toBeUndefined();
    expect(step.outbox.map(({ deliverAt }) => deliverAt)).toEqual([jobOf({ in: '1h' }).dueAt]);
    expect(told(step)).toEqual([
      ['job:interrupted', { id: 'id', task: 't', queue: 'default', key: undefined, worker: 'w0' }],
      ['job:hopped', expect.objectContaining({ id: 'id', dueAt: NOW - 5 + 3_600_000 })],
    ]);
  });

  test.each<[string, Partial<JobBody>, TaskOptions<unknown>, boolean, unknown[]]>([
    ['paused', {}, {}, true, ['job:given-back', { why: 'paused' }]],
    [
      'too late',
      { nominalAt: NOW - DAY_MS },
      { maxLateness: { of: '1m', then: 'skip' } },
      false,
      ['job:skipped', { reason: 'too late' }],
    ],
    [
      'far too late',
      { nominalAt: NOW - DAY_MS },
      { maxLateness: { of: '1m', then: 'dead' } },
      false,
      ['job:dead', { reason: 'too late' }],
    ],
    [
      'cancelled',
      { wish: { want: 'cancel', abort: false, reason: 'cancelled' } },
      {},
      false,
      ['job:cancelled', { reason: 'cancelled' }],
    ],
    [
      'not heard of',
      { interruptions: 1 },
      { attempts: 'never-again' },
      false,
      ['job:indeterminate', { reason: 'interrupted' }],
    ],
    ['of a newer version', { reader: 99 }, {}, false, ['job:given-back', { why: 'unknown' }]],
  ])('%s', (_name, body, options, paused, [event, data]) => {
    const step = toWrite(kindOf(options).arrive(granted(jobOf({}, body)), NOW, paused));
    expect(told(step)).toEqual([[event, expect.objectContaining({ id: 'id', ...(data as object) })]]);
  });

  test('a job that settles tells its key how long to live', () => {
    const wish = { want: 'cancel', abort: false, reason: 'cancelled' } as const;
    const step = toWrite(kindOf().arrive(granted(jobOf({ key: 'k' }, { wish })), NOW, false));
    expect(put(step, 1)).toMatchObject({ key: { kind: 'key' }, content: { state: 'settled' } });
  });

  test('`unless` is asked before an attempt and at a hop, not where nothing goes on', async () => {
    const kind = kindOf({ unless: (payload) => (payload as { n: number }).n === 1 });
    const run = kind.arrive(granted(jobOf()), NOW, false);
    const hopping = kind.arrive(granted(jobOf({ in: '1h' })), NOW, false);
    for (const { guard } of [run, hopping]) {
      expect(await guard!.ask()).toBe(true);
      const step = guard!.skip();
      expect(put(step).content).toMatchObject({ state: 'skipped', wakeAt: undefined, outbox: [] });
      expect(told(step)).toMatchObject([['job:skipped', { reason: 'unless' }]]);
    }
    expect(kind.arrive(granted(jobOf()), NOW, true).guard).toBeUndefined();
    expect(kindOf().arrive(granted(jobOf()), NOW, false).guard).toBeUndefined();
  });

  test('`unless` without services says so when it asks for one', () => {
    const kind = kindOf({ unless: (_payload, services) => services.get<boolean>('paid') });
    const { guard } = kind.arrive(granted(jobOf()), NOW, false);
    expect(() => guard!.ask()).toThrow(expect.objectContaining({ code: 'E_TASK_HANDLER' }));
  });
});

describe('work', () => {
  const settling = (outcome: Outcome, record = granted(jobOf()), options: TaskOptions<unknown> = {}): Step =>
    toRun(kindOf(options).arrive(record, NOW, false)).settle(record, outcome, OVER);

  test.each<[string, Outcome, string, object]>([
    ['done', { outcome: 'done', result: 5 }, 'job:completed', { attempt: 1, durationMs: 100, result: 5 }],
    [
      'failed',
      { outcome: 'failed', error: oops, verdict: 'retry' },
      'job:failed',
      { attempt: 1, error: oops, retryAt: NOW + 1_100 },
    ],
    ['dead', { outcome: 'failed', error: oops, verdict: 'dead' }, 'job:dead', { reason: 'not retried', error: oops }],
    ['snoozed', { outcome: 'snoozed', forMs: 500 }, 'job:snoozed', { attempt: 1, until: NOW + 600 }],
    ['interrupted', { outcome: 'interrupted' }, 'job:interrupted', { worker: 'w' }],
  ])('%s', (_name, outcome, event, data) => {
    const step = settling(outcome);
    expect(put(step).expect).toEqual({ version: 7, fence: 5 });
    expect(told(step)).toEqual([[event, { id: 'id', task: 't', queue: 'default', key: undefined, ...data }]]);
    expect(step.outbox).toHaveLength(put(step).content.state === 'scheduled' ? 1 : 0);
  });

  test('a retry’s message is in the outbox, or the record wakes by itself', () => {
    const failed: Outcome = { outcome: 'failed', error: oops, verdict: 'retry' };
    expect(settling(failed).outbox[0]!.deliverAt).toBe(NOW + 1_100);
    const record = granted(jobOf());
    const fused = toRun(kindOf({}, true).arrive(record, NOW, false)).settle(record, failed, OVER);
    expect(put(fused).content).toMatchObject({ wakeAt: NOW + 1_100, outbox: [] });
    expect(fused.outbox).toEqual([]);
  });

  test('on a record that has moved, it settles what stands there', () => {
    const record = granted(jobOf(), { interrupted: [CRASHED] });
    const work = toRun(kindOf().arrive(record, NOW, false));
    const wish = { want: 'cancel', abort: false, reason: 'cancelled' } as const;
    const moved = granted(jobOf({}, { wish }), { version: 8, interrupted: [CRASHED] });
    const step = work.settle(moved, { outcome: 'failed', error: oops, verdict: 'retry' }, OVER);
    expect(put(step)).toMatchObject({ expect: { version: 8, fence: 5 }, content: { state: 'cancelled' } });
    expect(bodyOf(put(step).content)).toMatchObject({ starts: 2, failures: 1, interruptions: 1 });
    expect(told(step)).toMatchObject([['job:cancelled', { reason: 'cancelled' }]]);
  });

  test('what others have settled: done is still told, anything else is not, and the key is left alone', () => {
    const record = granted(jobOf({ key: 'k' }));
    const work = toRun(kindOf().arrive(record, NOW, false));
    const gone = close(jobOf({ key: 'k' }), 'dead', NOW, resolveTask(taskOf()), { reason: 'refused' });
    const moved = { ...granted(gone), version: 8 };
    const done = work.settle(moved, { outcome: 'done', result: 1 }, OVER);
    expect(done.writes).toHaveLength(1); // another job may stand under the key by now
    expect(put(done).content.state).toBe('done');
    expect(told(done)).toMatchObject([['job:completed', { result: 1 }]]);

    const failed = work.settle(moved, { outcome: 'failed', error: oops, verdict: 'retry' }, OVER);
    expect(failed.writes).toHaveLength(1);
    expect(put(failed).content.state).toBe('dead');
    expect(told(failed)).toEqual([]);
  });

  test('release gives it back uncounted, but for what had ended without a word', () => {
    const record = granted(jobOf(), { interrupted: [CRASHED] });
    const step = toRun(kindOf({}, true).arrive(record, NOW, false)).release(record, NOW, NOW + 20);
    expect(put(step)).toMatchObject({
      expect: { version: 7, fence: 5 },
      content: { wakeAt: NOW + 20, state: 'scheduled' },
    });
    expect(bodyOf(put(step).content)).toMatchObject({ starts: 1, interruptions: 1 });
  });

  test('progress keeps the lease, the wish, the promises and the time', () => {
    const wish = { want: 'cancel', abort: true, reason: 'cancelled' } as const;
    const outbox = [{ message: { id: 'm', queue: 'q', body: new Uint8Array(), deliverAt: NOW }, wakeAt: NOW }];
    const work = toRun(kindOf().arrive(granted(jobOf()), NOW, false));
    const moved = granted(jobOf({}, { wish }), { version: 9, outbox, wakeAt: NOW + 77 });
    const write = put({ writes: [work.progress(moved, { half: true })] });
    expect(write).toMatchObject({ keepLease: true, expect: { version: 9, fence: 5 } });
    expect(write.content).toMatchObject({ outbox, wakeAt: NOW + 77 });
    expect(bodyOf(write.content)).toMatchObject({ progress: { half: true }, wish });
  });

  test('only a cancel that asks for it aborts', () => {
    const work = toRun(kindOf().arrive(granted(jobOf()), NOW, false));
    const wishing = (wish: JobBody['wish']): boolean => work.wantsAbort(granted(jobOf({}, wish && { wish })));
    expect(wishing(undefined)).toBe(false);
    expect(wishing({ want: 'cancel', abort: false, reason: 'x' })).toBe(false);
    expect(wishing({ want: 'cancel', abort: true, reason: 'x' })).toBe(true);
    expect(wishing({ want: 'reschedule', due: { at: NOW } })).toBe(false);
  });
});

describe('a message', () => {
  const envelopeOf = (job: Job, more: Partial<Envelope> = {}): Envelope => ({
    key: job.record,
    generation: job.generation,
    task: job.task,
    dueAt: job.dueAt,
    hop: 0,
    ...more,
  });

  test('that comes early hops on, if it is the one that is awaited', () => {
    const record = stored(jobOf({ in: '48h' }, { hop: 1 }));
    const early = kindOf().early(record, envelopeOf(jobOf(), { hop: 1 }), NOW);
    if (early.to !== 'hop') throw new Error('it does not hop');
    expect(put(early.step)).toMatchObject({ expect: { version: 7 }, content: { state: 'scheduled' } });
    expect(bodyOf(put(early.step).content)?.hop).toBe(2);
    expect(early.step.outbox[0]!.deliverAt).toBe(NOW + DAY_MS);
    expect(decodeEnvelope(early.step.outbox[0]!.body, 1_000)).toMatchObject({ envelope: { hop: 2 } });
  });

  test.each([0, 2])('a copy of hop %d, when the record is at 1, is acked', (hop) => {
    expect(kindOf().early(stored(jobOf({ in: '48h' }, { hop: 1 })), envelopeOf(jobOf(), { hop }), NOW)).toEqual({
      to: 'ack',
    });
  });

  test('of an on-claim job becomes a record', () => {
    const job = jobOf({ record: 'on-claim', headers: { a: 'b' } });
    const content = kindOf().create(envelopeOf(job, { body: bodyText(job) }), 'app/mail', NOW, false);
    expect(content).toMatchObject({
      state: 'scheduled',
      queue: 'app/mail',
      task: 't',
      dueAt: NOW,
      wakeAt: NOW + GRACE_MS,
    });
    expect(bodyOf(content as RecordContent)).toMatchObject({ payload: { n: 1 }, headers: { a: 'b' } });
  });

  test('of an on-claim job leaves a record that copies of it will find, however short it is kept (S5 of settle.ts)', () => {
    const job = jobOf({ record: 'on-claim', keep: '1m' });
    const content = kindOf().create(envelopeOf(job, { body: bodyText(job) }), 'q', NOW + 5_000, false);
    expect(bodyOf(content as RecordContent)?.lastMessageAt).toBe(NOW + 5_000);
  });

  test('that was delivered before, of a never-again job without a record, is parked: it may have begun', () => {
    const job = jobOf({ record: 'on-claim', attempts: 'never-again' });
    const create = (redelivered: boolean): unknown =>
      kindOf().create(envelopeOf(job, { body: bodyText(job) }), 'q', NOW, redelivered);
    expect(create(false)).toMatchObject({ state: 'scheduled', durableGrant: true });
    expect(create(true)).toMatchObject({ state: 'indeterminate', wakeAt: undefined });
  });

  test.each(['', 'null', '5', '[]', '{}', '{"n":1}', '{'])('whose body is %s is malformed', (body) => {
    expect(kindOf().create(envelopeOf(jobOf(), { body }), 'q', NOW, false)).toEqual({ malformed: expect.any(String) });
  });
});

describe('resend', () => {
  test('a lost message is sent once more, with a grace that doubles, up to an hour', () => {
    let record = stored(jobOf());
    const graces: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      const step = kindOf().resend(record, NOW, 0);
      expect(step.outbox).toHaveLength(1);
      expect(put(step).expect).toEqual({ version: 7 });
      graces.push(put(step).content.wakeAt! - NOW);
      record = { ...record, ...put(step).content };
    }
    expect(graces.slice(0, 4)).toEqual([30_000, 60_000, 120_000, 240_000]);
    expect(graces.at(-1)).toBe(3_600_000);
  });

  test.each([
    ['sent again', []],
    ['sent at last', [{ message: { id: 'm', queue: 'q', body: new Uint8Array([1]), deliverAt: 0 }, wakeAt: 0 }]],
  ])('what is %s is remembered, so that the settled record outlives it (S5 of settle.ts)', (_name, outbox) => {
    const { content } = put(kindOf().resend(stored(jobOf({}, { lastMessageAt: NOW - 5 }), { outbox }), NOW, 0));
    expect(bodyOf(content)?.lastMessageAt).toBe(NOW);
  });

  test('jitter spreads it, in whole milliseconds', () => {
    const { wakeAt } = put(kindOf().resend(stored(jobOf()), NOW, 1 / 3)).content;
    expect(wakeAt! - NOW).toBeGreaterThan(30_000);
    expect(Number.isInteger(wakeAt)).toBe(true);
  });

  test('what was never sent is sent as it was promised, and looked at soon again', () => {
    const message = { id: 'm', queue: 'q', body: new Uint8Array([1]), deliverAt: NOW + DAY_MS };
    const step = kindOf().resend(stored(jobOf(), { outbox: [{ message, wakeAt: 0 }] }), NOW, 0);
    expect(step.outbox).toEqual([message]);
    expect(put(step).content).toMatchObject({
      wakeAt: NOW + UNSENT_MS,
      outbox: [{ message, wakeAt: NOW + DAY_MS + GRACE_MS }],
    });
  });
});

describe('setAside', () => {
  test('I8: it is listed with its reason, and older messages of it are stale', () => {
    const record = stored(jobOf({ key: 'k' }));
    const step = kindOf().setAside(record, { version: 7 }, 'refused by the broker', NOW);
    expect(put(step)).toMatchObject({
      expect: { version: 7 },
      content: { state: 'dead', wakeAt: undefined, outbox: [] },
    });
    expect(put(step).content.generation).toBeGreaterThan(record.generation);
    expect(put(step, 1)).toMatchObject({ key: { kind: 'key' }, content: { state: 'settled' } });
    expect(told(step)).toMatchObject([['job:dead', { reason: 'refused by the broker' }]]);
  });

  test.each(['{', '5', '{}', 'hello'])('a record whose body is %s keeps its text as the payload', (body) => {
    const step = kindOf().setAside({ ...stored(jobOf()), body }, { version: 7 }, 'unreadable', NOW);
    expect(bodyOf(put(step).content)).toMatchObject({ payload: body, reason: 'unreadable' });
  });
});

test('a body that is none is not taken for a job', () => {
  expect(() => readJob({ ...stored(jobOf()), body: '{}' })).toThrow(expect.objectContaining({ code: 'E_PAYLOAD' }));
});
