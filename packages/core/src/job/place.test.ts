import { describe, expect, test } from 'vitest';
import { answerRecord, pointerRecord } from '../message/names.js';
import type { Lease, LedgerRecord, RecordContent, Write } from '../ports/ledger.js';
import { resolveTask } from '../task/options.js';
import { defineTask, type OnExisting, type TaskOverrides } from '../task/task.js';
import { type Candidate, candidate, type ScheduleFields } from './candidate.js';
import type { Carriage } from './carriage.js';
import { type Job, readJob, withBody, writeJob } from './job.js';
import { NOTHING_STANDS, place, repeated, type Standing } from './place.js';
import { pointTo } from './pointer.js';
import { close } from './settle.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');
const HOUR_MS = 3_600_000;
const TASK = resolveTask(defineTask('t', { in: '1h' }));
const BROKER: Carriage = { fused: false, horizonMs: 7 * 86_400_000, earlyMs: 0 };
const FUSED: Carriage = { fused: true, horizonMs: Infinity, earlyMs: 0 };
const LEASE: Lease = { holder: 'w', nonce: 'n', since: NOW - 5_000, until: NOW + 25_000 };

let minted = 0;
function call(fields: ScheduleFields = {}, payload: unknown = { n: 1 }): Candidate {
  const context = { namespace: '', maxBytes: 1_000, now: NOW, mint: () => `job${(minted += 1)}` };
  return candidate(TASK, payload, fields, context);
}

type Put = Extract<Write, { do: 'put' }>;
const puts = (writes: readonly Write[]): Put[] => writes.filter((write) => write.do === 'put');
const kinds = (writes: readonly Write[]): string[] => writes.map((write) => `${write.do} ${write.key.kind}`);

function stored(key: LedgerRecord['key'], content: RecordContent, more: Partial<LedgerRecord> = {}): LedgerRecord {
  return { ...content, key, version: 7, fence: 0, lease: undefined, interrupted: [], ...more };
}

/** What stands after `held` was placed under the key 'k', and then changed by `change` and `more`. */
function standing(change: (job: Job) => Job = (job) => job, more: Partial<LedgerRecord> = {}): Standing {
  const { job } = call({ key: 'k', id: 'held' }, { n: 0 });
  const after = change(job);
  const [pointer] = pointTo('', job, { absent: true });
  const wakeAt = after.state === 'scheduled' ? NOW + HOUR_MS : undefined;
  return {
    pointer: stored(pointer!.key, (pointer as Put).content, { version: 3 }),
    held: stored(job.record, writeJob(after, wakeAt), more),
  };
}
const running = (more: Partial<LedgerRecord> = {}): Standing =>
  standing(undefined, { fence: 5, lease: LEASE, ...more });

describe('B1: one change writes the job with its first message', () => {
  test('a job without a key is one write, if nothing stands under its id', () => {
    const { job, ...rest } = call();
    const { writes, answer } = place({ job, ...rest }, NOTHING_STANDS, NOW, BROKER);
    expect(answer).toEqual({ outcome: 'scheduled', id: rest.id });
    expect(writes).toHaveLength(1);
    expect(writes[0]).toMatchObject({ do: 'put', key: job.record, expect: { absent: true } });
    const [{ content }] = puts(writes) as [Put];
    expect(content).toMatchObject({ state: 'scheduled', dueAt: NOW + HOUR_MS });
    expect(content.outbox.map(({ message }) => message.deliverAt)).toEqual([NOW + HOUR_MS]);
  });

  test('a store that is both ports gets no message', () => {
    const [{ content }] = puts(place(call(), NOTHING_STANDS, NOW, FUSED).writes) as [Put];
    expect(content).toMatchObject({ outbox: [], wakeAt: NOW + HOUR_MS });
  });

  test('all writes of a change are of one partition', () => {
    for (const fields of [{ key: 'k' }, { key: 'k', id: 'own' }, { key: 'k', id: 'own-00' }]) {
      for (const stands of [NOTHING_STANDS, standing(), running()]) {
        for (const onExisting of ['keep', 'replace', 'throttle'] as const) {
          const { writes } = place(call({ ...fields, onExisting }), stands, NOW, BROKER);
          expect(new Set(writes.map(({ key }) => key.partition)).size).toBeLessThanOrEqual(1);
        }
      }
    }
  });
});

describe('B2: a repeated id gets the first answer', () => {
  const answers = [
    { outcome: 'scheduled', id: 'own' },
    { outcome: 'replaced', id: 'own', replaced: { id: 'held', attempts: 0 } },
    { outcome: 'running', id: 'own', replaced: { id: 'held', attempts: 1 } },
  ] as const;

  test.each([
    ['scheduled', NOTHING_STANDS, answers[0]],
    ['replaced', standing(), answers[1]],
    ['running', running(), answers[2]],
  ] as const)('%s', (_name, stands, first) => {
    const placement = call({ key: 'k', id: 'own', onExisting: 'replace' });
    const { writes, answer } = place(placement, stands, NOW, BROKER);
    expect(answer).toEqual(first);
    const written = puts(writes).find(({ key }) => key.id === 'own')!;
    expect(repeated(placement, stored(written.key, written.content))).toEqual(first);

    const since = close(readJob(stored(written.key, written.content)), 'done', NOW + 5, TASK, { result: 1 });
    expect(repeated(placement, stored(written.key, writeJob(since, undefined)))).toEqual(first);
  });

  test.each([
    ['kept', 'keep', { outcome: 'kept', id: 'held', same: false }],
    ['throttled', 'throttle', { outcome: 'throttled', id: 'held' }],
  ] as const)('%s: the answer has a record of its own', (_name, onExisting, first) => {
    const placement = call({ key: 'k', id: 'own', onExisting });
    const { writes, answer } = place(placement, standing(), NOW, BROKER);
    expect(answer).toEqual(first);
    const written = puts(writes).find(({ key }) => key.kind === 'answer')!;
    expect(written.key).toEqual(answerRecord('', 'own', placement.job.record.partition));
    expect(written.content).toMatchObject({ wakeAt: undefined, outbox: [], durableGrant: false });
    expect(written.content.expiresAt).toBe(NOW + HOUR_MS + TASK.keepDoneMs);
    expect(repeated(placement, stored(written.key, written.content))).toEqual(first);
  });

  test('an answer is kept as long as its call says', () => {
    const { writes } = place(call({ key: 'k', id: 'own', keep: '9d' }), standing(), NOW, BROKER);
    const written = puts(writes).find(({ key }) => key.kind === 'answer')!;
    expect(written.content.expiresAt).toBe(NOW + HOUR_MS + 9 * 24 * HOUR_MS);
  });

  test('what it writes fails if the first call got another kind of answer', () => {
    const kept = place(call({ key: 'k', id: 'own' }), standing(), NOW, BROKER);
    expect(kinds(kept.writes)).toEqual(['check job', 'put answer']);
    const scheduled = place(call({ key: 'k', id: 'own' }), NOTHING_STANDS, NOW, BROKER);
    expect(kinds(scheduled.writes)).toEqual(['put job', 'put key', 'check answer']);
    for (const { writes } of [kept, scheduled]) {
      for (const write of writes) expect(write).toMatchObject({ expect: { absent: true } });
    }
  });

  test('a minted id needs none of that', () => {
    expect(place(call({ key: 'k' }), standing(), NOW, BROKER).writes).toEqual([]);
    expect(kinds(place(call({ key: 'k' }), NOTHING_STANDS, NOW, BROKER).writes)).toEqual(['put job', 'put key']);
  });

  test.each<[string, ScheduleFields, unknown]>([
    ['another payload', { id: 'own' }, { n: 2 }],
    ['another key', { id: 'own', key: 'other' }, { n: 1 }],
  ])('but not for %s', (_name, fields, payload) => {
    const first = call({ id: 'own' });
    const record = stored(first.job.record, writeJob(first.job, NOW));
    expect(() => repeated(call(fields, payload), record)).toThrow(
      expect.objectContaining({ code: 'E_ID_REUSED', id: 'own' }),
    );
  });

  test('nor for another task', () => {
    const first = call({ id: 'own' });
    const record = stored(first.job.record, { ...writeJob(first.job, NOW), task: 'u' });
    expect(() => repeated(call({ id: 'own' }), record)).toThrow(expect.objectContaining({ code: 'E_ID_REUSED' }));
  });
});

describe('B3: a key points to at most one open job', () => {
  const all: OnExisting[] = ['keep', 'replace', 'throttle', 'error'];

  test.each(all)('%s: a settled job does not count as existing', (onExisting) => {
    for (const state of ['done', 'dead', 'indeterminate', 'cancelled', 'skipped'] as const) {
      const stands = standing((job) => close(job, state, NOW, TASK));
      const { writes, answer } = place(call({ key: 'k', onExisting }), stands, NOW, BROKER);
      expect(answer.outcome).toBe('scheduled');
      const pointer = puts(writes).find(({ key }) => key.kind === 'key')!;
      expect(pointer).toMatchObject({ key: pointerRecord('', 't', 'k'), expect: { version: 3 } });
      expect(pointer.content.body).toBe(answer.id);
    }
  });

  test.each(all)('%s: a job that the ledger has forgotten does not count either', (onExisting) => {
    const stands = { ...standing(), held: undefined };
    expect(place(call({ key: 'k', onExisting }), stands, NOW, BROKER).answer.outcome).toBe('scheduled');
  });

  test('keep: the job that stands stays as it is, and the answer tells whether it has the same payload', () => {
    const keep = (payload: unknown): unknown =>
      place(call({ key: 'k', onExisting: 'keep' }, payload), standing(), NOW, BROKER);
    expect(keep({ n: 1 })).toEqual({ writes: [], answer: { outcome: 'kept', id: 'held', same: false } });
    expect(keep({ n: 0 })).toEqual({ writes: [], answer: { outcome: 'kept', id: 'held', same: true } });
  });

  test('replace: the old job is cancelled in the same change, and told apart by its reason', () => {
    const { writes, answer } = place(call({ key: 'k', onExisting: 'replace' }), standing(), NOW, BROKER);
    expect(answer).toMatchObject({ outcome: 'replaced', replaced: { id: 'held', attempts: 0 } });
    const [old, fresh, pointer] = puts(writes);
    expect(old).toMatchObject({
      key: { id: 'held' },
      expect: { version: 7 },
      content: { state: 'cancelled', wakeAt: undefined, outbox: [] },
    });
    expect(JSON.parse(old!.content.body)).toMatchObject({ reason: 'replaced', unkeyed: true });
    expect(fresh).toMatchObject({ key: { id: answer.id }, content: { state: 'scheduled' } });
    expect(pointer).toMatchObject({ expect: { version: 3 }, content: { body: answer.id, state: 'open' } });
  });

  test.each<[string, TaskOverrides | undefined, number]>([
    ['its own keep', { keep: '5d' }, 120 * HOUR_MS],
    ["its task's keep, not that of the job that replaces it", undefined, TASK.keepDoneMs],
  ])('replace: the old job is remembered by %s', (_name, overrides, keptMs) => {
    const stands = standing((job) => withBody(job, { overrides }));
    const { writes } = place(call({ key: 'k', onExisting: 'replace', keep: '9d' }), stands, NOW, FUSED);
    expect(puts(writes)[0]!.content.expiresAt).toBe(NOW + keptMs);
  });

  test('replace says how many attempts had begun', () => {
    const stands = standing((job) => withBody(job, { starts: 2, failures: 2 }));
    const { answer } = place(call({ key: 'k', onExisting: 'replace' }), stands, NOW, BROKER);
    expect(answer.replaced).toEqual({ id: 'held', attempts: 2 });
  });

  test('throttle: the old job keeps its time and gets the new payload', () => {
    const { writes, answer } = place(call({ key: 'k', onExisting: 'throttle', in: '5h' }), standing(), NOW, BROKER);
    expect(answer).toEqual({ outcome: 'throttled', id: 'held' });
    const [old] = puts(writes) as [Put];
    expect(writes).toHaveLength(1);
    expect(old).toMatchObject({ expect: { version: 7 }, content: { dueAt: NOW + HOUR_MS, state: 'scheduled' } });
    expect(JSON.parse(old.content.body)).toMatchObject({ payload: { n: 1 }, key: 'k' });
  });

  test('error: it names the job that stands', () => {
    expect(() => place(call({ key: 'k', onExisting: 'error' }), standing(), NOW, BROKER)).toThrow(
      expect.objectContaining({ code: 'E_KEY_EXISTS', id: 'held' }),
    );
  });
});

describe('B4: replacing a running job leaves it to end, without its key and with the wish not to be repeated', () => {
  test.each<OnExisting>(['replace', 'throttle'])('%s', (onExisting) => {
    const { writes, answer } = place(call({ key: 'k', onExisting }), running(), NOW, BROKER);
    expect(answer).toMatchObject({ outcome: 'running', replaced: { id: 'held', attempts: 1 } });
    const [old, fresh, pointer] = puts(writes);
    expect(old).toMatchObject({ key: { id: 'held' }, expect: { version: 7 }, content: { state: 'scheduled' } });
    const wish = { want: 'cancel', abort: false, reason: 'replaced' }; // what fails is not repeated beside the new job
    expect(JSON.parse(old!.content.body)).toMatchObject({ unkeyed: true, payload: { n: 0 }, wish });
    expect(fresh).toMatchObject({ key: { id: answer.id } });
    expect(pointer!.content.body).toBe(answer.id);
  });

  test('a lease that has ended without a word still means running', () => {
    const ended = { ...LEASE, until: NOW - 1 };
    const stands = running({ lease: ended, interrupted: [{ ...ended, nonce: 'm' }] });
    const { answer } = place(call({ key: 'k', onExisting: 'replace' }), stands, NOW, BROKER);
    expect(answer).toMatchObject({ outcome: 'running', replaced: { attempts: 2 } });
  });

  test('its unsent messages stay promised', () => {
    const outbox = [{ message: { id: 'm', queue: 'q', body: new Uint8Array(), deliverAt: NOW }, wakeAt: NOW }];
    const { writes } = place(call({ key: 'k', onExisting: 'replace' }), running({ outbox }), NOW, BROKER);
    expect(puts(writes)[0]!.content.outbox).toEqual(outbox);
  });
});
