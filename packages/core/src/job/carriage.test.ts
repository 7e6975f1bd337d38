import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEnvelope } from '../message/envelope.js';
import { resolveTask } from '../task/options.js';
import { defineTask } from '../task/task.js';
import { candidate } from './candidate.js';
import { type Carriage, carry, deliveryTime, GRACE_MS, UNSENT_MS, wakeMessage } from './carriage.js';
import { type Job, placedAt, withBody } from './job.js';
import { readBody } from './job-body.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

function jobIn(ms: number, more: Partial<Job['body']> = {}): Job {
  const context = { namespace: '', maxBytes: 1_000, now: NOW, mint: () => 'id' };
  const { job } = candidate(resolveTask(defineTask('t')), { n: 1 }, { at: new Date(NOW + ms) }, context);
  return withBody(job, more);
}
const by = (carriage: Partial<Carriage> = {}): Carriage => ({
  fused: false,
  horizonMs: Infinity,
  earlyMs: 0,
  ...carriage,
});
const WALL = { wall: { wall: '2027-12-24T18:00:00.000', timezone: 'Europe/Berlin' } };

describe('K1: never beyond the horizon', () => {
  test.each<[string, number, Partial<Carriage>, number]>([
    ['within', HOUR_MS, { horizonMs: DAY_MS }, HOUR_MS],
    ['on it', DAY_MS, { horizonMs: DAY_MS }, DAY_MS],
    ['beyond', 60 * DAY_MS, { horizonMs: DAY_MS }, DAY_MS],
    ['without one', 60 * DAY_MS, {}, 60 * DAY_MS],
    ['early, by the precision', HOUR_MS, { earlyMs: 1_300 }, HOUR_MS - 1_300],
    ['early, beyond', 60 * DAY_MS, { horizonMs: DAY_MS, earlyMs: 1_300 }, DAY_MS],
    ['overdue', -HOUR_MS, { earlyMs: 1_300 }, -HOUR_MS - 1_300],
  ])('%s', (_name, ms, carriage, expected) => {
    expect(deliveryTime(jobIn(ms), NOW + ms, NOW, by(carriage))).toBe(NOW + expected);
  });

  test('for any job and any horizon: within it, never late, and never before 1970', () => {
    const ms = fc.integer({ min: 0, max: 100 * 365 * DAY_MS });
    fc.assert(
      fc.property(ms, ms, fc.integer({ min: 0, max: 10_000 }), fc.boolean(), (dueMs, horizonMs, earlyMs, wall) => {
        const at = deliveryTime(jobIn(dueMs, wall ? WALL : {}), NOW + dueMs, NOW, by({ horizonMs, earlyMs }));
        expect(at).toBeLessThanOrEqual(NOW + horizonMs);
        expect(at).toBeLessThanOrEqual(NOW + dueMs);
        expect(at).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

describe('K2: a wall time is looked at again at least daily', () => {
  test.each([
    ['by a broker', by()],
    ['by a store that is both ports', by({ fused: true })],
  ])('%s', (_name, carriage) => {
    const content = carry(jobIn(60 * DAY_MS, WALL), NOW, carriage);
    expect(content.dueAt).toBe(NOW + 60 * DAY_MS);
    const at = content.outbox[0]?.message.deliverAt ?? content.wakeAt;
    expect(at).toBe(NOW + DAY_MS);
  });

  test('also where the horizon is shorter', () => {
    expect(deliveryTime(jobIn(60 * DAY_MS, WALL), NOW + 60 * DAY_MS, NOW, by({ horizonMs: 5 }))).toBe(NOW + 5);
  });
});

describe('K3: a store that is both ports sends no message', () => {
  test('the record wakes by itself', () => {
    expect(carry(jobIn(HOUR_MS), NOW, by({ fused: true }))).toMatchObject({ wakeAt: NOW + HOUR_MS, outbox: [] });
    expect(carry(jobIn(HOUR_MS), NOW, by({ fused: true }), NOW + 5).wakeAt).toBe(NOW + 5);
  });

  test('elsewhere the message is promised, and looked after until it is sent, and until it comes', () => {
    const { wakeAt, outbox } = carry(jobIn(HOUR_MS), NOW, by());
    expect(wakeAt).toBe(NOW + UNSENT_MS);
    expect(outbox).toMatchObject([{ wakeAt: NOW + HOUR_MS + GRACE_MS, message: { deliverAt: NOW + HOUR_MS } }]);
    expect(carry(jobIn(-HOUR_MS), NOW, by()).outbox[0]!.wakeAt).toBe(NOW + GRACE_MS);
  });
});

describe('the message', () => {
  test('says which record, which generation, due when; the payload stays at home', () => {
    const job = jobIn(HOUR_MS, { hop: 3 });
    const [entry] = carry(job, NOW, by({ horizonMs: 5 })).outbox;
    expect(entry!.message).toMatchObject({ id: 'id#1', queue: 'default', deliverAt: NOW + 5 });
    expect(decodeEnvelope(entry!.message.body, 1_000)).toEqual({
      is: 'envelope',
      envelope: { key: job.record, generation: job.generation, task: 't', dueAt: NOW + HOUR_MS, hop: 3 },
    });
  });

  test('each promise has its own id, copies share it', () => {
    const job = jobIn(HOUR_MS, { messages: 4 });
    const [entry] = carry(job, NOW, by()).outbox;
    expect(entry!.message.id).toBe('id#5');
    expect(JSON.parse(carry(job, NOW, by()).body)).toMatchObject({ messages: 5 });
    expect(wakeMessage(job, NOW).id).toBe(wakeMessage(job, NOW + 1).id);
  });

  test('an on-claim job travels whole', () => {
    const decoded = decodeEnvelope(wakeMessage(jobIn(HOUR_MS, { headers: { a: 'b' } }), NOW, true).body, 1_000);
    expect(decoded).toMatchObject({ envelope: { body: '{"payload":{"n":1},"headers":{"a":"b"}}' } });
  });
});

describe('K4: copies of earlier messages are stale', () => {
  test('the first message is of the generation in which the job was placed, each further one of a new one', () => {
    const job = jobIn(HOUR_MS);
    const first = carry(job, NOW, by());
    expect(first.generation).toBe(job.generation);
    const again = { ...job, body: readBody(first.body)! };
    const second = carry(again, NOW + 5, by());
    expect(second.generation).toBeGreaterThan(first.generation);
    expect(decodeEnvelope(second.outbox[0]!.message.body, 1_000)).toMatchObject({
      envelope: { generation: second.generation },
    });
    expect(placedAt({ ...again, generation: second.generation, body: readBody(second.body)! })).toBe(NOW);
  });

  test('also of an on-claim job, whose first message was sent before there was a record', () => {
    const claimed = jobIn(0, { lastMessageAt: NOW });
    expect(carry(claimed, NOW + 5, by()).generation).toBeGreaterThan(claimed.generation);
  });

  test('not where the record is the message', () => {
    const job = jobIn(0, { starts: 1 });
    expect(carry(job, NOW + 5, by({ fused: true })).generation).toBe(job.generation);
  });
});
