import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Lease, LedgerRecord } from '../ports/ledger.js';
import { resolveTask } from '../task/options.js';
import { defineTask } from '../task/task.js';
import { candidate } from './candidate.js';
import {
  attemptsBegun,
  bodyText,
  isSettled,
  type Job,
  nextGeneration,
  nominalAt,
  placedAt,
  readJob,
  SET_ASIDE,
  withBody,
  writeJob,
} from './job.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');
const LEASE: Lease = { holder: 'w', nonce: 'n', since: 1, until: 2 };

function jobOf(payload: unknown = { n: 1 }): Job {
  const context = { namespace: '', maxBytes: 10_000, now: NOW, mint: () => 'id' };
  return candidate(resolveTask(defineTask('t')), payload, { in: '1h' }, context).job;
}
function recordOf(job: Job, wakeAt: number | undefined = job.dueAt): LedgerRecord {
  return { ...writeJob(job, wakeAt), key: job.record, version: 1, fence: 0, lease: undefined, interrupted: [] };
}

describe('J1: fields at their usual value are left out', () => {
  test('a pending job is its payload', () => {
    expect(bodyText(jobOf())).toBe('{"payload":{"n":1}}');
  });

  test('placed and nominal time are told by the header', () => {
    expect(placedAt(jobOf())).toBe(NOW);
    expect(nominalAt(jobOf())).toBe(NOW + 3_600_000);
    expect(placedAt(withBody(jobOf(), { placedAt: 5 }))).toBe(5);
    expect(nominalAt(withBody(jobOf(), { nominalAt: 5 }))).toBe(5);
  });

  test('a field that is taken out leaves nothing behind', () => {
    const job = withBody(withBody(jobOf(), { hop: 3 }), { hop: undefined });
    expect(bodyText(job)).toBe('{"payload":{"n":1}}');
    const { payloadText: _text, ...read } = job;
    expect(bodyText(read)).toBe('{"payload":{"n":1}}');
  });
});

describe('J2: what is written is read', () => {
  test('fields that this code does not know are kept', () => {
    const record = { ...recordOf(jobOf()), body: '{"payload":1,"reader":7,"mood":"blue"}' };
    expect(JSON.parse(writeJob(readJob(record), NOW).body)).toEqual({ payload: 1, reader: 7, mood: 'blue' });
  });

  test('any job', () => {
    const bodies = fc.record(
      { hop: fc.nat(), key: fc.string(), failures: fc.nat(), nominalAt: fc.nat(), headers: fc.constant({ a: 'b' }) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 3 }), fc.oneof(fc.string(), fc.integer())),
        bodies,
        (payload, body) => {
          const { payloadText: _text, ...job } = withBody(jobOf(payload), body);
          const read = readJob(recordOf(withBody(jobOf(payload), body)));
          expect(JSON.parse(bodyText(read))).toEqual(JSON.parse(bodyText(job)));
          expect({ ...read, body: 0 }).toEqual({ ...job, body: 0 });
        },
      ),
    );
  });
});

test('the header says what a store must know', () => {
  expect(writeJob(jobOf(), 7)).toMatchObject({ wakeAt: 7, durableGrant: false, outbox: [], state: 'scheduled' });
  expect(writeJob(withBody(jobOf(), { neverAgain: true }), 7).durableGrant).toBe(true);
});

test('attempts that have begun: ended, without a word, and now', () => {
  const job = withBody(jobOf(), { starts: 3 });
  expect(attemptsBegun(jobOf(), { lease: undefined, interrupted: [] })).toBe(0);
  expect(attemptsBegun(job, { lease: LEASE, interrupted: [LEASE, LEASE] })).toBe(6);
});

test('only `scheduled` is not settled, and what is set aside is', () => {
  const states = ['scheduled', 'done', 'dead', 'indeterminate', 'cancelled', 'skipped'] as const;
  expect(states.filter((state) => !isSettled({ ...jobOf(), state }))).toEqual(['scheduled']);
  expect(SET_ASIDE).toEqual(['dead', 'indeterminate']);
});

test('generations grow, whatever the clock says', () => {
  expect(nextGeneration(0, NOW)).toBe(NOW * 1000);
  expect(nextGeneration(NOW * 1000, NOW)).toBe(NOW * 1000 + 1);
  fc.assert(
    fc.property(fc.nat(), fc.array(fc.nat({ max: NOW })), (first, clock) => {
      let generation = first;
      for (const now of clock) {
        const next = nextGeneration(generation, now);
        expect(next).toBeGreaterThan(generation);
        expect(Number.isSafeInteger(next)).toBe(true);
        generation = next;
      }
    }),
  );
});
