import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import { codeOf, HOUR, MINUTE, onBothBackends, SECOND } from './on-both-backends.fixture.test.js';

const task = defineTask<string>('work', { in: '1s' });
const side = defineTask<string>('side', { in: '1s', queue: 'side' });

onBothBackends('queues and namespaces', (stage) => {
  it('namespaces share a store and nothing else: ids, keys, jobs, lists, pauses', async () => {
    const { clock, start } = stage();
    const seen: string[] = [];
    const spaces = ['', 'a', 'b'];
    const open = (namespace: string) =>
      start(
        [implement(task, (payload, { idempotencyKey }) => void seen.push(`${namespace}:${payload}:${idempotencyKey}`))],
        {
          namespace,
        },
      );
    const [none, a, b] = [await open(''), await open('a'), await open('b')];
    for (const [index, { carillon }] of [none, a, b].entries()) {
      const answer = await carillon.schedule(task, `of ${spaces[index]}`, { id: 'same', key: 'same' });
      expect(answer).toEqual({ id: 'same', outcome: 'scheduled' });
    }
    await a.carillon.pause({ task });
    await clock.advance(MINUTE);
    expect(seen.toSorted()).toEqual([':of :same', 'b:of b:b/same']);
    await a.carillon.resume({ task });
    await clock.advance(MINUTE);
    expect(seen.toSorted()).toEqual([':of :same', 'a:of a:a/same', 'b:of b:b/same']);
    for (const { carillon } of [none, a, b]) {
      expect((await carillon.list()).jobs.map(({ id, queue }) => [id, queue])).toEqual([['same', 'default']]);
      expect(await carillon.get(task, { key: 'same' })).toMatchObject({ id: 'same', state: 'done' });
    }
  });

  it('a namespace never sees one whose name or keys look like its own', async () => {
    const { process } = stage();
    const { carillon: app } = process([], { namespace: 'app' });
    const { carillon: apple } = process([], { namespace: 'apple' });
    const { carillon: none } = process([]);
    await apple.schedule(task, 'x', { id: '1', key: 'k' });
    await none.schedule(task, 'x', { id: 'app/1', key: 'app/k' });
    expect((await app.list()).jobs).toEqual([]);
    expect((await app.list({ task, keyPrefix: '' })).jobs).toEqual([]);
    expect((await none.list()).jobs.map(({ id }) => id)).toEqual(['app/1']);
    expect(await app.get(task, { id: '1' })).toBeUndefined();
  });

  it('redriveAll stays in its namespace', async () => {
    const { clock, start } = stage();
    const failing = implement(task, () => {
      throw new Error('no');
    });
    const a = await start([failing], { namespace: 'a' });
    const none = await start([failing]);
    for (const { carillon } of [a, none]) await carillon.schedule(task, 'x', { attempts: 1 });
    await clock.advance(MINUTE);
    expect(await none.carillon.redriveAll()).toBe(1);
    expect((await a.carillon.list({ states: ['dead'] })).jobs).toHaveLength(1);
  });

  it('an engine serves the queues that it is told to, by default those of its tasks', async () => {
    const { clock, start } = stage();
    const seen: string[] = [];
    const both = (name: string) => [
      implement(task, () => void seen.push(`${name}: work`)),
      implement(side, () => void seen.push(`${name}: side`)),
    ];
    const main = await start(both('main'), { queues: ['default'] });
    await main.carillon.schedule(task, 'x');
    await main.carillon.schedule(side, 'x');
    await clock.advance(HOUR);
    expect(seen).toEqual(['main: work']);
    await start(both('all'));
    await clock.advance(MINUTE);
    expect(seen).toEqual(['main: work', 'all: side']);
  });

  it('one call can choose another queue', async () => {
    const { clock, start } = stage();
    const seen: string[] = [];
    const { carillon } = await start([implement(task, (payload) => void seen.push(payload))], { queues: ['fast'] });
    await carillon.schedule(task, 'usual');
    await carillon.schedule(task, 'fast', { queue: 'fast' });
    await clock.advance(MINUTE);
    expect(seen).toEqual(['fast']);
  });

  it('a job keeps its queue over its retries', async () => {
    const { clock, start } = stage();
    const backoff = { type: 'fixed', delay: '1s' } as const;
    const { carillon } = await start(
      [
        implement(task, (_, { number }) => {
          if (number < 3) throw new Error('no');
        }),
      ],
      { queues: ['fast'], namespace: 'app' },
    );
    const { id } = await carillon.schedule(task, 'x', { queue: 'fast', retry: { backoff } });
    await clock.advance(10 * SECOND);
    expect(await carillon.get(task, { id })).toMatchObject({ state: 'done', queue: 'fast', attemptsBegun: 3 });
  });

  it.each(['a/b', '', 'x'.repeat(64), 'ü', 'a b'])('refuses the name %j', async (name) => {
    const { process } = stage();
    if (name !== '')
      expect(() => process([], { namespace: name })).toThrow(expect.objectContaining({ code: 'E_OPTIONS' }));
    expect(() => process([], { queues: [name] })).toThrow(expect.objectContaining({ code: 'E_OPTIONS' }));
    expect(await codeOf(process([]).carillon.schedule(task, 'x', { queue: name }))).toBe('E_OPTIONS');
  });
});
