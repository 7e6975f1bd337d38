import { defineTask, implement, type Occurrence, type ScheduleSpec, type TaskDefinition } from '@carillon/core';
import { expect, it } from 'vitest';
import { codeOf, MINUTE, onBothBackends } from '../runtime/on-both-backends.fixture.test.js';

onBothBackends('declared schedules', (stage) => {
  const declare = (name: string, spec: ScheduleSpec, seen: Occurrence[] = []): TaskDefinition => ({
    ...implement(defineTask<null>(name), (_, { occurrence }) => void (occurrence && seen.push(occurrence))),
    recurring: { spec },
  });

  it('are put in place at start, by any number of replicas, and left alone by the next start', async () => {
    const { start, clock } = stage();
    const seen: Occurrence[] = [];
    const tasks = [declare('tidy', { every: '1m' }, seen)];
    const [first] = await Promise.all(Array.from({ length: 20 }, () => start(tasks)));
    await clock.advance(2 * MINUTE);
    await start(tasks);
    expect(seen).toHaveLength(2);
    expect(await first?.carillon.schedules.get('tidy')).toMatchObject({ edition: 1, declaredBy: 'app' });
  });

  it('are compared before they are applied: a dry run prints what would change', async () => {
    const { start, process } = stage();
    await start([
      declare('a', { every: '1m' }),
      declare('b', { every: '1m' }),
      declare('c', { every: '1m', version: 2 }),
    ]);
    const tasks = [declare('a', { every: '60s' }), declare('c', { every: '2m' }), declare('d', { every: '1m' })];
    const next = process([...tasks, declare('e', { every: '1m' })], { schedules: { apply: false } });
    await next.carillon.start();
    const plan = await next.carillon.schedules.declared.plan();
    expect(plan).toMatchObject({
      added: ['d', 'e'],
      changed: [],
      unchanged: ['a'],
      outdated: ['c'],
      orphaned: ['b'],
    });
    expect(String(plan)).toBe('added d\nadded e\nunchanged a\noutdated c\norphaned b: kept');
    expect(await next.carillon.schedules.get('d')).toBeUndefined();
    await next.carillon.schedules.declared.apply();
    expect(await next.carillon.schedules.get('d')).toMatchObject({ state: 'active' });
    expect(await next.carillon.schedules.get('b')).toMatchObject({ state: 'active' });
  });

  it.each([
    ['pause', 'paused'],
    ['remove', undefined],
  ] as const)('orphans: %s', async (orphans, state) => {
    const { start } = stage();
    const owned = { schedules: { owner: 'billing', orphans } };
    const first = await start([declare('old', { every: '1m' })], owned);
    await first.carillon.schedules.put('dynamic', defineTask<null>('old'), { every: '1m' }, null);
    await start([declare('theirs', { every: '1m' })], { schedules: { owner: 'mail' } });
    const { carillon } = await start([declare('new', { every: '1m' })], owned);
    expect((await carillon.schedules.get('old'))?.state).toBe(state);
    const fate = state === undefined ? [] : [`orphaned old: ${state}`];
    expect(String(await carillon.schedules.declared.plan()).split('\n')).toEqual(['unchanged new', ...fate]);
    for (const id of ['dynamic', 'theirs', 'new']) {
      expect(await carillon.schedules.get(id)).toMatchObject({ state: 'active' });
    }
  });

  it('D4: go on when they are declared again after they were orphans; what somebody paused stays paused', async () => {
    const { start, clock } = stage();
    const owned = { schedules: { owner: 'billing', orphans: 'pause' } } as const;
    const seen: Occurrence[] = [];
    const tasks = [declare('old', { every: '1m' }, seen), declare('held', { every: '1m' })];
    const { carillon } = await start(tasks, owned);
    await carillon.schedules.pause('held', { note: 'by hand' });
    await start([declare('new', { every: '1m' })], owned);
    await clock.advance(2 * MINUTE);
    expect(seen).toHaveLength(0);
    const { declared } = (await start(tasks, { schedules: { ...owned.schedules, apply: false } })).carillon.schedules;
    expect(String(await declared.plan())).toBe('unchanged old\nunchanged held\nresumed old\norphaned new: paused');
    await start(tasks, owned);
    await clock.advance(MINUTE);
    expect(seen).toHaveLength(1);
    expect(await carillon.schedules.get('held')).toMatchObject({ state: 'paused', note: 'by hand' });
  });

  it('come back within a minute if the ledger loses their record, but not if somebody deletes them', async () => {
    const { start, clock, store } = stage();
    const seen: Occurrence[] = [];
    const { carillon } = await start([declare('lost', { every: '1h' }, seen), declare('deleted', { every: '1h' })]);
    const { records } = await store.ledger.list({ kind: 'schedule', limit: 10 });
    const lost = records.find(({ key }) => key.id === 'lost');
    const remove = { do: 'remove', key: lost!.key, expect: { any: true } } as const;
    await store.ledger.commit([{ nonce: 'wiped', writes: [remove], durable: true }]);
    await carillon.schedules.delete('deleted');
    await clock.advance(60 * MINUTE);
    expect(seen).toHaveLength(1);
    expect(await carillon.schedules.get('deleted')).toBeUndefined();
  });

  it('are refused where they mean nothing', async () => {
    const { process, store } = stage();
    const twice: TaskDefinition[] = [
      declare('a', { every: '1m' }),
      { ...declare('b', { every: '1m' }), recurring: { id: 'a', spec: { every: '1m' } } },
    ];
    expect(() => process(twice)).toThrow(/Two schedules are declared as a/);
    expect(() => process([], { schedules: { orphans: 'remove' } })).toThrow(/no schedules.owner/);
    expect(await codeOf(process([declare('a', { cron: '0 0 30 2 *' })]).carillon.start())).toBe('E_RULE');
    expect(await codeOf(process([declare('a', { every: '1m', overlap: 'sometimes' as never })]).carillon.start())).toBe(
      'E_OPTIONS',
    );
    expect((await store.ledger.list({ kind: 'schedule', limit: 10 })).records).toEqual([]);
  });

  it('are refused on a ledger that others do not see', async () => {
    const { process } = stage();
    const { carillon, ledger } = process([declare('a', { every: '1m' })]);
    Object.defineProperty(ledger, 'shared', { value: false });
    expect(await codeOf(carillon.start())).toBe('E_LEDGER_SHARED');
  });
});
