import { Carillon, defineTask, implement, snooze } from '@carillon/core';
import { memoryStore, VirtualClock } from '@carillon/testing';
import { describe, expect, it } from 'vitest';
import { HOUR, messageStage, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const backoff = { type: 'fixed', delay: '1m', jitter: 0 } as const;
const task = defineTask<null, string>('work', { in: '1m', retry: { backoff } });

onBothBackends('events', (stage) => {
  it('tell a job’s whole life, with its lateness', async () => {
    const { clock, start } = stage();
    const from = clock.now();
    const { carillon, heard } = await start([
      implement(task, (_, { number }) => {
        if (number === 1) throw new Error('no');
        return number === 2 ? snooze('5m') : 'ok';
      }),
    ]);
    const { id } = await carillon.schedule(task, null, { key: 'k' });
    await clock.advance(HOUR);
    const about = { id, task: 'work', queue: 'default', key: 'k' };
    expect(heard('job:scheduled')).toEqual([{ ...about, dueAt: from + MINUTE, outcome: 'scheduled' }]);
    expect(heard('job:started')).toEqual(
      [1, 2, 3].map((attempt) => ({ ...about, attempt, latenessMs: 0, late: false })),
    );
    expect(heard('job:failed')).toMatchObject([
      { ...about, attempt: 1, error: { message: 'no' }, retryAt: from + 2 * MINUTE },
    ]);
    expect(heard('job:snoozed')).toEqual([{ ...about, attempt: 2, until: from + 7 * MINUTE }]);
    expect(heard('job:completed')).toEqual([{ ...about, attempt: 3, durationMs: 0, result: 'ok' }]);
  });

  it('tell of each end once, whoever is asked', async () => {
    const { clock, start } = stage();
    const failing = implement(task, () => {
      throw new Error('no');
    });
    const worker = await start([failing]);
    await worker.carillon.schedule(task, null, { attempts: 1 });
    const cancelled = await worker.carillon.schedule(task, null);
    await worker.carillon.cancel(task, cancelled);
    await clock.advance(HOUR);
    expect(worker.heard('job:dead')).toMatchObject([{ reason: 'attempts exhausted', error: { message: 'no' } }]);
    expect(worker.heard('job:cancelled')).toMatchObject([{ id: cancelled.id }]);
  });

  it('tell how late a start was', async () => {
    const { clock, start, process } = stage();
    await process([]).carillon.schedule(task, null);
    await clock.advance(MINUTE + 1234);
    const { heard } = await start([implement(task, () => 'ok')]);
    await clock.advance(SECOND);
    expect(heard('job:started').map(({ latenessMs }) => latenessMs)).toEqual([1234]);
  });
});

describe('listeners', () => {
  const open = async () => {
    const clock = new VirtualClock();
    const lines: string[] = [];
    const say = (_: object, message: string): void => void lines.push(message);
    const logger = { debug: say, info: say, warn: say, error: say, child: () => logger };
    const backend = memoryStore({ clock });
    const carillon = new Carillon({ backend, clock, logger, tasks: [implement(task, () => 'ok')] });
    await carillon.start();
    return { carillon, clock, lines };
  };

  it('one that throws is logged, and hurts neither the job nor the others', async () => {
    const { carillon, clock, lines } = await open();
    const heard: string[] = [];
    carillon.on('job:completed', () => {
      throw new Error('my bug');
    });
    carillon.on('job:completed', ({ id }) => heard.push(id));
    const { id } = await carillon.schedule(task, null);
    await clock.advance(HOUR);
    expect([heard, lines]).toEqual([[id], ['a listener threw']]);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done' });
  });

  it('can be taken away', async () => {
    const { carillon, clock } = await open();
    const heard: string[] = [];
    const end = carillon.on('job:completed', ({ id }) => heard.push(id));
    await carillon.schedule(task, null);
    await clock.advance(MINUTE);
    end();
    await carillon.schedule(task, null);
    await clock.advance(HOUR);
    expect(heard).toHaveLength(1);
  });
});

it('a sweep tells what it examined and sent again', async () => {
  const { clock, start, process } = messageStage();
  const producer = process([]);
  producer.transport.fail('send', { times: 3 });
  for (let n = 0; n < 3; n += 1) await producer.carillon.schedule(task, null);
  const { heard } = await start([implement(task, () => 'ok')]);
  await clock.advance(20 * SECOND);
  expect(heard('sweep:done')).toEqual([{ examined: 3, resent: 3 }]);
});
