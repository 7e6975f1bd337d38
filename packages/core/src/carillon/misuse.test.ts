import { Carillon, type CarillonOptions, defineTask, implement, type JobQuery } from '@carillon/core';
import { memoryStore, testCarillon } from '@carillon/testing';
import { describe, expect, it, test } from 'vitest';
import { codeOf, onBothBackends, MINUTE } from '../runtime/on-both-backends.fixture.test.js';

const mail = defineTask<number>('mail');
const bill = defineTask<number>('bill');

describe('what would be ignored, or mean something else, is refused with what to write', () => {
  test.each<[string, object, RegExp]>([
    ['no backend', {}, /has no backend\. Give backend: embedded/],
    ['an option that does not exist', { backend: memoryStore(), workers: 3 }, /has no option "workers"/],
    [
      'a class in the place of a definition',
      { backend: memoryStore(), tasks: [class Mail {}] },
      /Pass fromContainer\(container/,
    ],
    [
      'a queue with an unknown limit',
      { backend: memoryStore(), queues: { a: { concurency: 2 } } },
      /has no option "concurency"/,
    ],
    ['an unknown limit', { backend: memoryStore(), limits: { payload: 1 } }, /has no option "payload"/],
    ['no definition at all', { backend: memoryStore(), tasks: [undefined] }, /is no task with its handler/],
  ])('%s', (_, options, message) => {
    expect(() => new Carillon(options as CarillonOptions)).toThrow(message);
  });

  it.each<[string, object]>([
    ['an unknown field', { state: 'dead' }],
    ['an unknown state', { states: ['ded'] }],
    ['a limit of nothing', { limit: 0 }],
    ['an invalid date', { dueFrom: new Date(NaN) }],
    ['a text for a date', { dueBefore: '2027-03-01' }],
    ['no date', { dueFrom: null }],
    ['a number for a date', { dueBefore: 1_800_000_000_000 }],
  ])('a query with %s, rather than all jobs or none', async (_, query) => {
    const app = await testCarillon();
    await expect(app.list(query as JobQuery as never)).rejects.toThrow(/E_OPTIONS/);
    await expect(app.redriveAll(query as never)).rejects.toThrow(/E_OPTIONS/);
    await app.stop();
  });
});

it('a handler that is none, a task that is none, options that are none', async () => {
  expect(() => implement(mail, undefined as never)).toThrow(/E_TASK_HANDLER/);
  const app = await testCarillon();
  await expect(app.schedule('mail' as never, 1 as never)).rejects.toThrow(/E_TASK_UNKNOWN/);
  await expect(app.schedule(undefined as never, 1 as never)).rejects.toThrow(/E_TASK_UNKNOWN/);
  const odd = [
    { unless: true },
    { retry: { on: 'dead' } },
    { retry: { fr: '1h' } },
    { schema: {} },
    { maxLateness: { off: '1h' } },
  ];
  for (const options of odd) {
    await expect(app.schedule(defineTask('odd', options as never))).rejects.toThrow(/E_OPTIONS/);
  }
  await expect(app.scheduleMany([{ task: mail, payload: 1, in: '1h' } as never])).rejects.toThrow(/has no option "in"/);
  await expect(app.cancel(mail, { id: 'x' }, { abrot: true } as never)).rejects.toThrow(/has no option "abrot"/);
  await expect(app.result(mail, { id: 'x' }, { wihtin: '1s' } as never)).rejects.toThrow(/has no option "wihtin"/);
  await expect(app.stop({ whitin: '1s' } as never)).rejects.toThrow(/has no option "whitin"/);
  await expect(app.schedule(mail, 1, { onExisting: 'replace' } as never)).rejects.toThrow(/Give the key/);
  await expect(app.pause({ queue: '' })).rejects.toThrow(/can't name a queue/);
  await expect(app.pause({ queue: 'a', task: mail })).rejects.toThrow(/has no option "task"/);
  await app.stop();
});

it('shows what is paused', async () => {
  const app = await testCarillon([], { namespace: 'shop' });
  await app.pause({ queue: 'near' });
  await app.pause({ task: mail });
  expect(await app.paused()).toEqual({ queues: ['near'], tasks: ['mail'] });
  await app.resume({ task: mail });
  expect(await app.paused()).toEqual({ queues: ['near'], tasks: [] });
  await app.stop();
});

it('tells of a task that nobody runs here, because its queue is left out', () => {
  const warned: object[] = [];
  const log = {
    debug() {},
    info() {},
    warn: (fields: object) => void warned.push(fields),
    error() {},
    child: () => log,
  };
  const tasks = [implement(defineTask('elsewhere', { queue: 'far' }), () => {})];
  const made = new Carillon({ backend: memoryStore(), tasks, queues: ['near'], logger: log });
  expect(made.name).not.toBe('');
  expect(warned).toEqual([{ task: 'elsewhere', queue: 'far' }]);
});

onBothBackends('misuse', (stage) => {
  it('a job is not found, nor cancelled, as one of another task', async () => {
    const { start } = stage();
    const { carillon } = await start([]);
    const { id } = await carillon.schedule(mail, 1, { in: '1h', id: 'own', key: 'k' });
    expect(await carillon.get(bill, { id })).toBeUndefined();
    expect((await carillon.cancel(bill, { id })).outcome).not.toBe('cancelled');
    expect(await carillon.get(mail, { id })).toMatchObject({ state: 'scheduled', key: 'k' });
  });

  it.each([
    'garbage',
    '',
    '{}',
    '[]',
    '["job","x",1,2]',
    'null',
    '["job","x"]',
    '["job","x","x",null]',
    5 as never,
    null as never,
  ])('a cursor that no page has handed out: %j', async (cursor) => {
    const { start } = stage();
    const { carillon } = await start([]);
    expect(await codeOf(carillon.list({ cursor }))).toBe('E_OPTIONS');
    expect(await codeOf(carillon.list({ cursor, task: mail, keyPrefix: 'k' }))).toBe('E_OPTIONS');
  });

  it('onExisting as a default of the task is fine without a key', async () => {
    const { start } = stage();
    const { carillon } = await start([]);
    const replacing = defineTask<number>('replacing', { onExisting: 'replace' });
    expect(await carillon.schedule(replacing, 1)).toMatchObject({ outcome: 'scheduled' });
  });

  it('endless concurrency over two queues runs both', async () => {
    const { clock, start } = stage();
    const ran: string[] = [];
    const tasks = ['a', 'b'].map((queue) =>
      implement(defineTask(`in-${queue}`, { queue }), () => void ran.push(queue)),
    );
    const { carillon } = await start(tasks, { concurrency: Infinity });
    for (const queue of ['a', 'b']) await carillon.schedule(defineTask(`in-${queue}`, { queue }));
    await clock.advance(MINUTE);
    expect(ran.toSorted()).toEqual(['a', 'b']);
  });

  it('a batch of several tasks takes the payload of each, and none where there is none', async () => {
    const { start } = stage();
    const { carillon } = await start([]);
    const text = defineTask<string>('text');
    const answers = await carillon.scheduleMany([
      { task: mail, payload: 1 },
      { task: text, payload: 'x' },
      { task: defineTask<undefined>('sweep-up') },
    ]);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['scheduled', 'scheduled', 'scheduled']);
    const wrong = (): Promise<unknown> =>
      carillon.scheduleMany([
        // @ts-expect-error the payload of one task is not that of another
        { task: mail, payload: 'x' },
        { task: text, payload: 'x' },
      ]);
    expect(wrong).toBeTypeOf('function');
  });
});
