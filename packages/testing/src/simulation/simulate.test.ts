import { defineTask, giveUp, implement } from '@carillon/core';
import { describe, expect, it } from 'vitest';
import { simulate } from './simulate.js';

const HOUR = 3_600_000;

describe('simulate', () => {
  it('runs a daily report for a year, through crashes, each day once and on the day', { timeout: 60_000 }, async () => {
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

  it('throws what the business code throws', async () => {
    const broken = simulate({ hours: 1, tasks: [], drive: async () => Promise.reject(new Error('no money left')) });
    await expect(broken).rejects.toThrow('no money left');
  });
});
