import { defineTask, implement, type TaskDefinition } from '@carillon/core';
import { describe, expect, test } from 'vitest';
import { simulate } from './simulate.js';

const report = defineTask<null>('daily-report', { retry: { for: '12h' } });
const DAY_MS = 86_400_000;

describe('a schedule of the user', () => {
  test('a year of a daily one, with faults: each day runs, as one occurrence', { timeout: 120_000 }, async () => {
    const sent = new Set<string>();
    const { attempts, schedules, jobs } = await simulate({
      hours: 365 * 24,
      startsAt: new Date('2027-01-01T00:00:00Z'),
      faults: { crash: 0.05, pause: 0.05, restart: 0.02 },
      tasks: ({ sleep }) => [
        implement(report, async (_, { occurrence }) => {
          await sleep(20_000);
          sent.add(occurrence!.slot.toISOString());
        }),
      ],
      drive: (shop) =>
        shop.schedules
          .put('daily', report, { cron: '0 9 * * *', timezone: 'Europe/Berlin', catchUp: { within: '6h' } }, null)
          .then(() => undefined),
    });
    expect(schedules).toEqual([{ id: 'daily', state: 'active', counts: { started: 365, missed: {} } }]);
    expect(sent.size).toBe(365);
    expect([...sent].filter((slot) => slot.endsWith('T07:00:00.000Z'))).toHaveLength(217); // summer time
    expect(attempts.every(({ slot, startedAt }) => startedAt >= slot!)).toBe(true);
    expect(attempts.length).toBeGreaterThan(365); // some were interrupted, and made again
    expect(jobs.every(({ state }) => state === 'done')).toBe(true);
  });

  test('one that is declared: replicas put it once, and each slot runs', { timeout: 60_000 }, async () => {
    const definition: TaskDefinition = {
      ...implement(report, () => undefined),
      recurring: { spec: { every: '1h' }, payload: null }, // as a method with @RecurringTask() has it
    };
    const { attempts, schedules } = await simulate({
      hours: 100,
      engines: 3,
      faults: { crash: 0.005, restart: 0.2 },
      tasks: [definition],
      drive: async () => undefined,
    });
    const started = new Set(attempts.map(({ slot }) => slot!.getTime())).size;
    expect(schedules).toEqual([{ id: 'daily-report', state: 'active', counts: { started, missed: {} } }]);
    expect(started).toBeGreaterThanOrEqual(100);
  });

  test('business code puts, pauses, resumes and triggers one', async () => {
    const { attempts, schedules } = await simulate({
      hours: 3 * 24,
      faults: { crash: 0.02, restart: 0.2 },
      tasks: [implement(report, () => undefined)],
      async drive(shop) {
        await shop.schedules.put('daily', report, { every: '1d' }, null);
        await shop.sleep('36h');
        await shop.schedules.pause('daily', { note: 'no more paper' });
        await shop.schedules.trigger('daily', { id: 'by-hand' });
        await shop.sleep('24h');
        await shop.schedules.resume('daily');
      },
    });
    const start = Date.UTC(2026, 0, 1);
    const byRule = new Set(attempts.filter(({ jobId }) => !jobId.includes('~')).map(({ slot }) => slot!.getTime()));
    expect([...byRule].map((slot) => (slot - start) / DAY_MS)).toEqual([1, 3]);
    expect(new Set(attempts.filter(({ jobId }) => jobId.includes('~by-hand')).map(({ jobId }) => jobId)).size).toBe(1);
    expect(schedules).toMatchObject([{ id: 'daily', counts: { started: 3, missed: { paused: 1 } } }]);
  });
});
