import { describe, expect, test } from 'vitest';
import { atLeast, atLeastOne, checkQueue, oneOf, resolvePolicy, resolveTask } from './options.js';
import { defineTask, type TaskOptions, type TaskOverrides } from './task.js';

const resolved = (options: TaskOptions<unknown> = {}): ReturnType<typeof resolveTask> =>
  resolveTask(defineTask<unknown>('t', options));
const DAY_MS = 86_400_000;

test('the defaults, all of them', () => {
  expect(resolved()).toEqual({
    name: 't',
    queue: 'default',
    delay: '0s',
    attempts: 10,
    neverAgain: false,
    retryForMs: Infinity,
    backoff: { type: 'exponential' },
    on: undefined,
    interruptions: 10,
    timeoutMs: Infinity,
    lateness: undefined,
    concurrency: Infinity,
    unless: undefined,
    schema: undefined,
    record: 'on-schedule',
    onExisting: 'keep',
    keepDoneMs: 3 * DAY_MS,
    keepDeadMs: 30 * DAY_MS,
  });
});

describe('what an option becomes', () => {
  test.each<[TaskOptions<unknown>, object]>([
    [{ attempts: 3 }, { attempts: 3, neverAgain: false }],
    [{ attempts: 'never-again' }, { attempts: 1, neverAgain: true }],
    [{ retry: { for: '24h' } }, { attempts: Infinity, retryForMs: DAY_MS }],
    [
      { attempts: 5, retry: { for: '24h' } },
      { attempts: 5, retryForMs: DAY_MS },
    ],
    [{ timeout: '5s' }, { timeoutMs: 5_000 }],
    [{ maxLateness: { of: '10m', then: 'skip' } }, { lateness: { ofMs: 600_000, then: 'skip' } }],
    [{ keep: '1h' }, { keepDoneMs: 3_600_000, keepDeadMs: 3_600_000 }],
    [
      { concurrency: 2, interruptions: 1 },
      { concurrency: 2, interruptions: 1 },
    ],
    [{ in: { minutes: 5 } }, { delay: { minutes: 5 } }],
  ])('%o', (options, expected) => {
    expect(resolved(options)).toMatchObject(expected);
  });

  test('is resolved once per task', () => {
    const task = defineTask('t');
    expect(resolveTask(task)).toBe(resolveTask(task));
  });
});

describe('a bad option is refused, by its name and its task', () => {
  test.each<[string, unknown, string]>([
    ['in of task t', { in: '5 parsecs' }, 'E_DURATION'],
    ['in of task t', { in: 5 }, 'E_DURATION'],
    ['attempts of task t', { attempts: 0 }, 'E_OPTIONS'],
    ['attempts of task t', { attempts: Number.NaN }, 'E_OPTIONS'],
    ['attempts of task t', { attempts: '3' }, 'E_OPTIONS'],
    ['retry.for of task t', { retry: { for: 'ever' } }, 'E_DURATION'],
    ['retry.backoff of task t', { retry: { backoff: { type: 'random' } } }, 'E_OPTIONS'],
    ['interruptions of task t', { interruptions: -1 }, 'E_OPTIONS'],
    ['concurrency of task t', { concurrency: 0.5 }, 'E_OPTIONS'],
    ['timeout of task t', { timeout: '0s' }, 'E_OPTIONS'],
    ['timeout of task t', { timeout: 30 }, 'E_DURATION'],
    ['maxLateness.of of task t', { maxLateness: { then: 'skip' } }, 'E_DURATION'],
    ['maxLateness.then of task t', { maxLateness: { of: '1m' } }, 'E_OPTIONS'],
    ['maxLateness.then of task t', { maxLateness: { of: '1m', then: 'wait' } }, 'E_OPTIONS'],
    ['onExisting of task t', { onExisting: 'merge' }, 'E_OPTIONS'],
    ['record of task t', { record: 'never' }, 'E_OPTIONS'],
    ['keep of task t', { keep: 'long' }, 'E_DURATION'],
    ["can't name a queue", { queue: 'a/b' }, 'E_OPTIONS'],
    ["can't name a queue", { queue: '' }, 'E_OPTIONS'],
  ])('%s: %o', (what, options, code) => {
    expect(() => resolved(options as TaskOptions<unknown>)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(what) }),
    );
  });
});

describe('a job lies its own over them', () => {
  const task = resolved({ attempts: 3, timeout: '5s', retry: { backoff: { type: 'fixed', delay: '1s' } } });

  test('nothing leaves the task as it is', () => {
    expect(resolvePolicy(task, undefined)).toBe(task);
    expect(resolvePolicy(task, {})).toEqual(task);
  });

  test.each<[TaskOverrides, object]>([
    [{ attempts: 7 }, { attempts: 7, timeoutMs: 5_000, backoff: { type: 'fixed' } }],
    [{ attempts: 'never-again' }, { attempts: 1, neverAgain: true }],
    [{ timeout: '1m' }, { attempts: 3, timeoutMs: 60_000 }],
    [{ retry: { for: '1h' } }, { attempts: Infinity, retryForMs: 3_600_000, backoff: { type: 'fixed' } }],
    [
      { retry: { backoff: { type: 'exponential' } } },
      { attempts: 3, retryForMs: Infinity, backoff: { type: 'exponential' } },
    ],
    [{ maxLateness: { of: '1m', then: 'dead' } }, { lateness: { ofMs: 60_000, then: 'dead' } }],
    [{ interruptions: 2 }, { attempts: 3, interruptions: 2 }],
    [{ keep: '1h' }, { attempts: 3, keepDoneMs: 3_600_000, keepDeadMs: 3_600_000 }],
  ])('%o', (overrides, expected) => {
    expect(resolvePolicy(task, overrides)).toMatchObject(expected);
  });

  test('a bad one names the job’s task', () => {
    expect(() => resolvePolicy(task, { attempts: 0 })).toThrow(/attempts of a job of task t/);
    expect(() => resolvePolicy(task, { interruptions: 0 })).toThrow(/interruptions of a job of task t/);
    expect(() => resolvePolicy(task, { retry: { backoff: { type: 'no' } as never } })).toThrow(/of a job of task t/);
  });
});

describe('the checks', () => {
  const refused = expect.objectContaining({ code: 'E_OPTIONS' });

  test.each([1, 2, 1_000_000, Infinity])('atLeastOne takes %d', (value) => {
    expect(atLeastOne(value, 'x')).toBe(value);
  });
  test.each([0, -1, 0.5, 1.5, Number.NaN, -Infinity])('atLeastOne refuses %d', (value) => {
    expect(() => atLeastOne(value, 'x')).toThrow(refused);
  });
  test('atLeast', () => {
    expect(atLeast(5, 5, 'x')).toBe(5);
    expect(() => atLeast(4.9, 5, 'x')).toThrow(refused);
    expect(() => atLeast(Number.NaN, 5, 'x')).toThrow(refused);
  });
  test.each(['a', 'mail', 'A.b-c_9', 'x'.repeat(63)])('a queue: %s', (queue) => {
    expect(checkQueue(queue)).toBe(queue);
  });
  test.each(['', 'a b', 'a/b', '.a', 'ä', 'x'.repeat(64), 'a\n'])('no queue: %j', (queue) => {
    expect(() => checkQueue(queue)).toThrow(refused);
  });
  test('oneOf takes what is missing', () => {
    oneOf(undefined, ['a'], 'x');
    oneOf('a', ['a'], 'x');
    expect(() => oneOf('b', ['a', 'c'], 'x')).toThrow(/Use one of a, c/);
  });
});

describe('what contradicts itself, or would not be read, is refused', () => {
  test('never-again with a retry', () => {
    expect(() => resolved({ attempts: 'never-again', retry: { for: '1h' } })).toThrow(
      /never attempted again is not retried/,
    );
  });

  test("a call's retry does not make a never-again task retry", () => {
    const policy = resolvePolicy(resolved({ attempts: 'never-again' }), { retry: { for: '1h' } });
    expect(policy).toMatchObject({ neverAgain: true, attempts: 1 });
  });

  test('an option that does not exist, with those that do', () => {
    const options = { retries: 3 } as TaskOptions<unknown>;
    expect(() => resolved(options)).toThrow(/has no option "retries"\. It has queue, in, attempts/);
  });
});
