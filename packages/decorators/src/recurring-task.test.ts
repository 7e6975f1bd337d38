import 'reflect-metadata';
import type { Attempt, Occurrence } from '@carillon/core';
import { testCarillon } from '@carillon/testing';
import { Container } from 'inversify';
import { describe, expect, it } from 'vitest';
import { fromContainer } from './from-container.js';
import { RecurringTask } from './recurring-task.js';

const startAt = new Date('2027-03-01T00:00:00Z'); // a Monday

describe('RecurringTask', () => {
  it('makes a method run at every slot of its rule, with its occurrence', async () => {
    const seen: [string, number, number][] = [];
    class Reports {
      @RecurringTask({ cron: '0 9 * * 1-5', timezone: 'Europe/Berlin', overlap: 'skip', attempts: 3 })
      async daily(occurrence: Occurrence, attempt: Attempt): Promise<void> {
        seen.push([occurrence.slot.toISOString(), occurrence.latenessMs, attempt.number]);
      }
    }
    const app = await testCarillon(fromContainer(new Container(), [Reports]), { startAt });
    await app.advance('7d');
    expect(seen).toEqual([1, 2, 3, 4, 5].map((day) => [`2027-03-0${day}T08:00:00.000Z`, 0, 1]));
    expect(await app.schedules.get('reports.daily')).toMatchObject({ task: 'reports.daily', overlap: 'skip' });
    await app.stop();
  });

  it('makes a class run, under the name that it is given, and hands on what it returned', async () => {
    const previous: unknown[] = [];
    @RecurringTask({ name: 'tidy-up', every: '1h', queue: 'low' })
    class Tidy {
      handle(occurrence: Occurrence): { slot: string } {
        previous.push(occurrence.previous);
        return { slot: occurrence.slot.toISOString() };
      }
    }
    const app = await testCarillon(fromContainer(new Container(), [Tidy]), { startAt });
    await app.advance('2h');
    expect(previous).toEqual([undefined, { slot: '2027-03-01T01:00:00.000Z' }]);
    expect(await app.schedules.get('tidy-up')).toMatchObject({ queue: 'low' });
    await app.stop();
  });

  it('can also be scheduled by hand', async () => {
    const origins: string[] = [];
    @RecurringTask({ every: '1d' })
    class Tidy {
      handle(occurrence: Occurrence): void {
        origins.push(occurrence.origin);
      }
    }
    const app = await testCarillon(fromContainer(new Container(), [Tidy]), { startAt });
    await app.schedules.trigger('tidy');
    await app.advance('1m');
    expect(origins).toEqual(['trigger']);
    await app.stop();
  });

  it('is refused at start for a rule that never comes, and where it can not stand', async () => {
    @RecurringTask({ cron: '0 0 31 4 *' })
    class Never {
      handle(): void {}
    }
    await expect(testCarillon(fromContainer(new Container(), [Never]))).rejects.toMatchObject({ code: 'E_RULE' });
    expect(() => RecurringTask({ every: '1h' })(class {} as never)).toThrow(/has no method handle/);
    const decorate = RecurringTask({ every: '1h' }) as unknown as (target: object, name: string) => void;
    expect(() => decorate(class {}, 'run')).toThrow(/@RecurringTask\(\) can't stand on the static method run/);
  });
});
