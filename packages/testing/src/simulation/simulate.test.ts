import { defineTask, giveUp, implement } from '@carillon/core';
import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.js';

const HOUR = 3_600_000;

const LIMIT_MS = 60_000; // a busy machine takes several times as long as an idle one

describe('simulate', { timeout: LIMIT_MS }, () => {
  it('runs a daily report for a year, through crashes, each day once and on the day', async () => {
    const report = defineTask<{ day: number }>('daily-report', { retry: { for: '12h' } });
    const sent = new Set<string>();
    const { attempts, jobs, faults } = await simulate({
      hours: 365 * 24,
      faults: { crash: 0.05, pause: 0.05, restart: 0.02 },
      tasks: ({ sleep }) => [
        implement(report, async ({ day }, { idempotencyKey }) => {
          await sleep(20_000);
          sent.add(`${day} ${idempotencyKey}`);
        }),
      ],
      async drive(shop) {
        for (let day = 1; ; day += 1) {
          await shop.schedule(report, { day }, { in: '1h', id: `report-${day}` });
          await shop.sleep('24h');
        }
      },
    });
    expect(sent.size).toBe(365);
    expect(faults.crash).toBeGreaterThan(10);
    const done = attempts.filter(({ outcome }) => outcome === 'returned');
    expect(new Set(done.map(({ jobId }) => jobId)).size).toBe(365);
    for (const { dueAt, startedAt } of done) {
      expect(+startedAt).toBeGreaterThanOrEqual(+dueAt);
      expect(+startedAt - +dueAt).toBeLessThan(HOUR);
    }
    expect(jobs.every(({ state }) => state === 'done')).toBe(true);
  });

  it('begins when it is told to', async () => {
    const once = defineTask<null>('once');
    const startsAt = new Date('2028-02-29T12:00:00Z');
    const { attempts } = await simulate({
      hours: 2,
      startsAt,
      faults: 'none',
      tasks: [implement(once, () => 'ok')],
      drive: async (shop) => void (await shop.schedule(once, null, { in: '1h' })),
    });
    expect(+attempts[0]!.startedAt - +startsAt).toBeGreaterThanOrEqual(HOUR);
    expect(+attempts[0]!.startedAt - +startsAt).toBeLessThan(2 * HOUR);
  });

  it('shows what was set aside, and why', async () => {
    const hopeless = defineTask<null>('hopeless');
    const { jobs, attempts } = await simulate({
      hours: 2,
      faults: 'none',
      tasks: [implement(hopeless, () => giveUp('no such customer'))],
      drive: async (shop) => void (await shop.schedule(hopeless, null, { id: 'one', in: '1h' })),
    });
    expect(jobs).toMatchObject([{ id: 'one', task: 'hopeless', state: 'dead', reason: 'no such customer' }]);
    expect(attempts).toMatchObject([{ jobId: 'one', number: 1, outcome: 'returned' }]);
  });

  it('is the same for the same seed, and another for the next', { timeout: 60_000 }, async () => {
    const task = defineTask<number>('work');
    const starts = async (seed: number): Promise<readonly number[]> => {
      const { attempts } = await simulate({
        seed,
        hours: 10,
        shape: 'apart',
        tasks: [implement(task, () => {})],
        async drive(shop) {
          for (let n = 0; ; n += 1) {
            await shop.schedule(task, n, { in: '10m' });
            await shop.sleep({ minutes: 1 + shop.random.next() * 10 });
          }
        },
      });
      return attempts.map(({ startedAt }) => +startedAt);
    };
    const first = await starts(1);
    expect(first.length).toBeGreaterThan(50);
    expect(await starts(1)).toEqual(first);
    expect(await starts(2)).not.toEqual(first);
  });

  it('accuses nobody of many jobs that are due at once', async () => {
    const task = defineTask<number>('work');
    const { attempts } = await simulate({
      hours: 1,
      faults: 'none',
      tasks: [implement(task, () => {})],
      async drive(shop) {
        for (let n = 0; n < 500; n += 1) await shop.schedule(task, n, { in: '10m' });
      },
    });
    expect(attempts).toHaveLength(500);
  });

  it('accuses nobody of a handler that gives up in words like those of the engine', async () => {
    const task = defineTask<null>('work');
    const { jobs } = await simulate({
      hours: 1,
      faults: 'none',
      tasks: [implement(task, () => giveUp('unknown customer'))],
      drive: async (shop) => void (await shop.schedule(task, null, { in: '1m' })),
    });
    expect(jobs).toMatchObject([{ state: 'dead', reason: 'unknown customer' }]);
  });

  it('accuses nobody of a backlog, and says how long it is', async () => {
    const slow = defineTask<number>('slow', { concurrency: 1 });
    for (const shape of ['fused', 'apart'] as const) {
      const { jobs, backlog } = await simulate({
        hours: 9,
        faults: 'none',
        shape,
        tasks: ({ sleep }) => [implement(slow, () => sleep(3 * HOUR))],
        async drive(shop) {
          for (let n = 0; ; n += 1) {
            await shop.schedule(slow, n, { in: '1m', id: `slow-${n}` });
            await shop.sleep('15m');
          }
        },
      });
      const open = jobs.filter(({ state }) => state === 'scheduled');
      expect(backlog).toBeGreaterThan(20);
      expect(backlog).toBeLessThanOrEqual(open.length);
    }
  });

  it('accuses nobody of jobs that wait until any engine has a slot', async () => {
    const slow = defineTask<number>('slow');
    const quick = defineTask<null>('quick');
    const { attempts } = await simulate({
      hours: 12,
      faults: 'none',
      engines: 1,
      tasks: ({ sleep }) => [implement(slow, () => sleep(4 * HOUR)), implement(quick, () => {})],
      async drive(shop) {
        for (let n = 0; n < 200; n += 1) await shop.schedule(slow, n, { in: '1m' });
        await shop.sleep('10m');
        await shop.schedule(quick, null, { in: '1m', id: 'quick' });
      },
    });
    expect(attempts.filter(({ outcome }) => outcome === 'returned')).toHaveLength(201);
  });

  it('accuses nobody of a hundred tries a millisecond apart', async () => {
    for (const shape of ['fused', 'apart'] as const) {
      const retry = { backoff: { type: 'fixed', delay: '1ms', jitter: 0 } } as const;
      const task = defineTask<null>('hasty', { attempts: 100, retry });
      const { jobs, attempts } = await simulate({
        hours: 1,
        faults: 'none',
        shape,
        tasks: [implement(task, () => Promise.reject(new Error('no')))],
        drive: async (shop) => void (await shop.schedule(task, null, { in: '1m' })),
      });
      expect(attempts).toHaveLength(100);
      expect(jobs).toMatchObject([{ state: 'dead', reason: 'attempts exhausted' }]);
    }
  });

  it('lets handlers schedule and cancel jobs, through faults, under the eyes of the monitors', async () => {
    const order = defineTask<number>('order', { retry: { for: '12h' } });
    const reminder = defineTask<number>('reminder');
    const receipt = defineTask<number>('receipt', { record: 'on-claim' });
    for (const shape of ['fused', 'apart'] as const) {
      const { jobs, attempts } = await simulate({
        hours: 6,
        faults: { crash: 0.003, pause: 0.2, 'answer-lost': 0.01, 'request-lost': 0.01 },
        shape,
        tasks: ({ jobs, sleep }) => [
          implement(order, async (n) => {
            await jobs.cancel(reminder, { id: `reminder-${n}` });
            await sleep(1_000);
            await jobs.schedule(receipt, n, { in: '5m', id: `receipt-${n}` });
          }),
          implement(reminder, () => {}),
          implement(receipt, () => {}),
        ],
        async drive(shop) {
          for (let n = 0; ; n += 1) {
            await shop.schedule(reminder, n, { in: '2h', id: `reminder-${n}` });
            await shop.schedule(order, n, { in: '10m', id: `order-${n}` });
            await shop.sleep('10m');
          }
        },
      });
      const states = (task: string) => new Set(jobs.filter((job) => job.task === task).map(({ state }) => state));
      expect(states('order')).toEqual(new Set(['done']));
      expect(states('reminder')).toEqual(new Set(['cancelled']));
      expect(attempts.filter(({ task }) => task === 'receipt').length).toBeGreaterThan(30);
    }
  });

  it('Q1: refuses an option that means nothing', async () => {
    const refused = (options: object): Promise<unknown> =>
      simulate({ hours: 1, tasks: [], drive: async () => {}, ...options });
    for (const hours of [undefined, 0, -1, NaN, Infinity, '1'])
      await expect(refused({ hours })).rejects.toThrow(/^hours of simulate is not understood: /);
    await expect(refused({ engines: 0 })).rejects.toThrow('engines of simulate is not understood: 0. It takes a whole');
    await expect(refused({ seed: 1.5 })).rejects.toThrow('seed of simulate');
    await expect(refused({ shape: 'round' })).rejects.toThrow('It takes apart or fused.');
    await expect(refused({ drive: undefined })).rejects.toThrow('drive of simulate');
    await expect(refused({ faults: 'few' })).rejects.toThrow('faults of simulate is not understood: few.');
    await expect(refused({ faults: null })).rejects.toThrow('faults of simulate');
    await expect(refused({ faults: { crsh: 0.1 } })).rejects.toThrow('faults.crsh of simulate is not understood');
    await expect(refused({ faults: { crash: 2 } })).rejects.toThrow('a rate from 0, of a chance at most 1');
    await expect(refused({ faults: { crash: 1, pause: 3, skew: 99 } })).resolves.toBeDefined();
  });

  it.each(['none at all', 'another'])('Q2: says which task no engine runs, if it runs %s', async (which) => {
    const [work, other] = [defineTask<null>('work'), defineTask<null>('other')];
    const forgotten = simulate({
      hours: 1,
      faults: 'none',
      tasks: which === 'another' ? [implement(other, () => {})] : [],
      drive: async (shop) => void (await shop.schedule(work, null, { in: '1m' })),
    });
    await expect(forgotten).rejects.toThrow('No engine runs the task work, of which a job was scheduled.');
  });

  it('Q2: also if the task is that of a schedule', async () => {
    const forgotten = simulate({
      hours: 1,
      faults: 'none',
      tasks: [],
      drive: async (shop) => void (await shop.schedules.put('five', defineTask<null>('work'), { every: '5m' }, null)),
    });
    await expect(forgotten).rejects.toThrow('No engine runs the task work, of which a schedule was put.');
  });

  it('Q3: tells the story of a violation, with its seed', async () => {
    const task = defineTask<null>('work', { queue: 'elsewhere' });
    const other = defineTask<null>('work');
    const told = simulate({
      hours: 1,
      seed: 5,
      faults: 'none',
      tasks: [implement(other, () => {})], // the same name, in a queue of its own: nobody serves the other queue
      drive: async (shop) => void (await shop.schedule(task, null, { in: '1m', id: 'lost' })),
    });
    await expect(told).rejects.toThrow(
      /^I3: a job is overdue by 3h58m\S+, and nobody holds it \(lost\)\nat 2026-01-01 04:00:00.000 .*seed: 5 [^]*shop +calls schedule +lost[^]*VIOLATION I3/,
    );
  });

  it('throws what the business code throws', async () => {
    const broken = simulate({ hours: 1, tasks: [], drive: async () => Promise.reject(new Error('no money left')) });
    await expect(broken).rejects.toThrow('no money left');
  });
});
