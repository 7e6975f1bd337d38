import {
  type BackoffData,
  defineTask,
  giveUp,
  implement,
  retryAfter,
  Ruling,
  snooze,
  type TaskOptions,
} from '@carillon/core';
import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const plain = { type: 'fixed', delay: '1m', jitter: 0 } as const;
const task = defineTask<null>('work', { retry: { backoff: plain } });

type RetriedOptions = Pick<TaskOptions, 'in' | 'attempts' | 'retry'>;

onBothBackends('retries', (stage) => {
  /** Runs one job whose handler does `handle(number)`, and tells when each attempt began, in ms from the schedule. */
  const attempts = async (options: RetriedOptions, handle: (number: number) => unknown, forMs = 3 * HOUR) => {
    const { clock, start } = stage();
    const from = clock.now();
    const starts: number[] = [];
    const failing = defineTask<null>('failing', options);
    const process = await start([
      implement(failing, (_, { number }) => {
        starts.push(clock.now() - from);
        return handle(number);
      }),
    ]);
    const { id } = await process.carillon.schedule(failing, null);
    await clock.advance(forMs);
    return { ...process, starts, job: await process.carillon.get(failing, { id }) };
  };
  const fail = (): never => {
    throw new Error('no');
  };

  it('tries ten times by default, then sets the job aside with its last error (I8)', async () => {
    const { starts, job, heard } = await attempts({}, fail);
    expect(starts).toHaveLength(10);
    expect(job).toMatchObject({ state: 'dead', reason: 'attempts exhausted', failures: 10, error: { message: 'no' } });
    expect(heard('job:failed').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(heard('job:dead')).toMatchObject([{ reason: 'attempts exhausted', error: { message: 'no' } }]);
  });

  const backoffs: [BackoffData, number[]][] = [
    [{ type: 'fixed', delay: '10s', jitter: 0 }, [0, 10, 20, 30, 40]],
    [{ type: 'linear', step: '10s', to: '25s', jitter: 0 }, [0, 10, 30, 55, 80]],
    [{ type: 'exponential', from: '2s', factor: 3, to: '20s', jitter: 0 }, [0, 2, 8, 26, 46]],
    [{ type: 'exponential', jitter: 0 }, [0, 1, 3, 7, 15]],
  ];
  it.each(backoffs)('waits as the backoff says: %j', async (backoff, seconds) => {
    const { starts } = await attempts({ attempts: 5, retry: { backoff } }, fail);
    expect(starts).toEqual(seconds.map((after) => after * SECOND));
  });

  it('waits as a custom backoff says, which is told the number of failures', async () => {
    const backoff = (failures: number) => ({ seconds: failures * failures });
    const { starts } = await attempts({ attempts: 4, retry: { backoff } }, fail);
    expect(starts).toEqual([0, 1 * SECOND, 5 * SECOND, 14 * SECOND]);
  });

  it('sets the job aside, with the reason, if the custom backoff itself fails', async () => {
    const backoff = (): never => {
      throw new Error('my bug');
    };
    const { starts, job } = await attempts({ retry: { backoff } }, fail);
    expect(starts).toHaveLength(1);
    expect(job).toMatchObject({ state: 'dead', reason: expect.stringContaining('my bug'), error: { message: 'no' } });
  });

  it('takes up to the jitter off the delay, never more', async () => {
    const backoff: BackoffData = { type: 'fixed', delay: '100s', jitter: 0.5 };
    const { starts } = await attempts({ attempts: 6, retry: { backoff } }, fail);
    const delays = starts.slice(1).map((at, index) => at - (starts[index] ?? 0));
    for (const delay of delays) expect(delay).toSatisfy((ms: number) => ms >= 50 * SECOND && ms <= 100 * SECOND);
    expect(new Set(delays).size).toBe(5);
  });

  it('retries until an age: the last attempt falls on it, whatever the number of attempts', async () => {
    const { starts, job } = await attempts({ retry: { for: '10m', backoff: { ...plain, delay: '4m' } } }, fail);
    expect(starts).toEqual([0, 4 * MINUTE, 8 * MINUTE, 10 * MINUTE]);
    expect(job).toMatchObject({ state: 'dead', reason: 'too old to retry' });
    const many = await attempts({ retry: { for: '1h', backoff: plain } }, fail);
    expect(many.starts).toHaveLength(61);
  });

  it('counts the age from the nominal time, and whatever comes first ends the retries', async () => {
    const { starts } = await attempts({ in: '1h', attempts: 3, retry: { for: '10m', backoff: plain } }, fail);
    expect(starts).toEqual([HOUR, HOUR + MINUTE, HOUR + 2 * MINUTE]);
  });

  it('one job can override the attempts, the age and the backoff of its task', async () => {
    const { clock, start } = stage();
    const starts = new Map<string, number>();
    const { carillon } = await start([
      implement(task, (_, { key = '' }) => {
        starts.set(key, (starts.get(key) ?? 0) + 1);
        throw new Error('no');
      }),
    ]);
    await carillon.schedule(task, null, { key: 'default' });
    await carillon.schedule(task, null, { key: 'attempts', attempts: 2 });
    await carillon.schedule(task, null, { key: 'age', retry: { for: '30s' } });
    await carillon.schedule(task, null, { key: 'backoff', retry: { backoff: { type: 'fixed', delay: '2h' } } });
    await clock.advance(HOUR);
    expect(Object.fromEntries(starts)).toEqual({ default: 10, attempts: 2, age: 2, backoff: 1 });
  });

  class Fatal extends Error {}
  class Busy extends Error {}
  const on = (error: unknown) => {
    if (error instanceof Fatal) return 'dead';
    if (error instanceof Busy) return snooze('5m');
    return undefined;
  };

  it('retry.on decides by the error: dead at once, snoozed uncounted, retried by the backoff', async () => {
    const errors = [new Error('usual'), new Busy('busy'), new Fatal('fatal')];
    const { starts, job, heard } = await attempts({ attempts: 3, retry: { on, backoff: plain } }, (number) => {
      throw errors[number - 1] ?? new Error('too often');
    });
    expect(starts).toEqual([0, MINUTE, 6 * MINUTE]);
    expect(job).toMatchObject({ state: 'dead', reason: 'not retried', failures: 2, error: { message: 'fatal' } });
    expect(job?.attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'snoozed', 'failed']);
    expect(heard('job:snoozed')).toHaveLength(1);
  });

  it('retry.on is told the job, its failures and its age; if it throws, the backoff decides', async () => {
    const told: unknown[] = [];
    const options: RetriedOptions = {
      attempts: 2,
      retry: {
        backoff: plain,
        on: (_, failure) => {
          told.push(failure);
          throw new Error('my bug');
        },
      },
    };
    const { starts, job } = await attempts(options, fail);
    expect(starts).toEqual([0, MINUTE]);
    expect(told).toEqual([
      { jobId: job?.id, failures: 1, ageMs: 0 },
      { jobId: job?.id, failures: 2, ageMs: MINUTE },
    ]);
  });

  describe.each([
    ['returned', (ruling: Ruling): unknown => ruling],
    [
      'thrown',
      (ruling: Ruling): unknown => {
        throw ruling;
      },
    ],
  ])('rulings, %s', (_, rule) => {
    it('retryAfter counts as a failure and sets the delay', async () => {
      const { starts, job } = await attempts({ attempts: 3 }, () => rule(retryAfter('7m', 'try later')));
      expect(starts).toEqual([0, 7 * MINUTE, 14 * MINUTE]);
      expect(job).toMatchObject({ state: 'dead', failures: 3, error: { message: 'try later' } });
    });

    it('snooze does not count, however often', async () => {
      const { starts, job, heard } = await attempts({ attempts: 2 }, (n) => (n <= 12 ? rule(snooze('5m')) : 'ok'));
      expect(starts).toHaveLength(13);
      expect(job).toMatchObject({ state: 'done', failures: 0, attemptsBegun: 13, result: 'ok' });
      expect(heard('job:snoozed')).toHaveLength(12);
    });

    it('giveUp sets the job aside at once, with its reason', async () => {
      const { starts, job } = await attempts({}, () => rule(giveUp('the order is gone')));
      expect(starts).toEqual([0]);
      expect(job).toMatchObject({ state: 'dead', reason: 'the order is gone', failures: 1 });
    });
  });

  it('keeps the same idempotency key, a rising fence and the attempt number over the attempts (I4)', async () => {
    const { clock, start } = stage();
    const seen: { key: string; fence: number; number: number }[] = [];
    const { carillon } = await start([
      implement(task, (_, { idempotencyKey: key, fencingToken: fence, number }) => {
        seen.push({ key, fence, number });
        throw new Error('no');
      }),
    ]);
    const { id } = await carillon.schedule(task, null);
    await clock.advance(HOUR);
    expect(seen.map(({ key, number }) => [key, number])).toEqual(seen.map((_, index) => [id, index + 1]));
    expect(seen.every(({ fence }, index) => fence > (seen[index - 1]?.fence ?? 0))).toBe(true);
  });

  it('keeps the latest twenty attempts and counts them all', async () => {
    const { job } = await attempts({ attempts: 30, retry: { backoff: plain } }, fail);
    expect(job).toMatchObject({ failures: 30, attemptsBegun: 30 });
    expect(job?.attempts.map(({ number }) => number)).toEqual(Array.from({ length: 20 }, (_, index) => index + 11));
  });

  it('keeps whatever was thrown, cut to size', async () => {
    const { job } = await attempts({ attempts: 1 }, () => {
      throw Object.assign(new RangeError('x'.repeat(5000)), { code: 'E_WIDE' });
    });
    expect(job?.error).toMatchObject({ name: 'RangeError', message: 'x'.repeat(1000), code: 'E_WIDE' });
    const odd = await attempts({ attempts: 1 }, () => {
      throw 'a string'; // oxlint-disable-line no-throw-literal
    });
    expect(odd.job?.error).toEqual({ name: 'Error', message: 'a string' });
  });
});
