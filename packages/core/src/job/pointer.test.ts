import { describe, expect, test } from 'vitest';
import { pointerRecord } from '../message/names.js';
import { resolveTask } from '../task/options.js';
import { defineTask } from '../task/task.js';
import { candidate } from './candidate.js';
import { type Job, withBody } from './job.js';
import { pointTo, withPointer } from './pointer.js';
import { close } from './settle.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');
const TASK = resolveTask(defineTask('t'));

function jobOf(key: string | undefined): Job {
  const context = { namespace: 'app', maxBytes: 1_000, now: NOW, mint: () => 'id' };
  return candidate(TASK, {}, { in: '1h', ...(key !== undefined && { key }) }, context).job;
}
const settled = close(jobOf('k'), 'done', NOW, TASK);

describe('R1: a pointer changes only together with its job', () => {
  test('it is in the same partition, and leads to the job by its id', () => {
    const [write] = pointTo('app', jobOf('k'), { absent: true });
    expect(write).toMatchObject({
      do: 'put',
      key: { ...pointerRecord('app', 't', 'k'), partition: jobOf('k').record.partition },
      expect: { absent: true },
      content: { state: 'open', expiresAt: undefined, wakeAt: undefined, outbox: [], durableGrant: false },
    });
    expect(write).toMatchObject({ content: { body: expect.stringMatching(/^id-[0-9a-f]{2}$/) } });
  });

  test.each<[string, Job]>([
    ['a job without a key', jobOf(undefined)],
    ['a job that has lost its key', withBody(jobOf('k'), { unkeyed: true })],
    ['a settled job that has lost its key', withBody(settled, { unkeyed: true })],
  ])('%s has none', (_name, job) => {
    expect(pointTo('app', job, { any: true })).toEqual([]);
    expect(withPointer('app', job)).toEqual([]);
  });

  test('an open job leaves it as it is', () => {
    expect(withPointer('app', jobOf('k'))).toEqual([]);
  });
});

test('R2: it outlives the job as long as the job is remembered', () => {
  expect(withPointer('app', settled)).toMatchObject([
    { key: { kind: 'key' }, expect: { any: true }, content: { state: 'settled', expiresAt: settled.expiresAt } },
  ]);
});
