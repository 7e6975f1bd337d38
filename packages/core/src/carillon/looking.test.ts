import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import { codeOf, gate, HOUR, MINUTE, onBothBackends, SECOND } from '../runtime/on-both-backends.fixture.test.js';

const backoff = { type: 'fixed', delay: '1m', jitter: 0 } as const;
const task = defineTask<number, { sum: number }>('add', { in: '1h', retry: { backoff } });
const other = defineTask<number>('other', { queue: 'side', in: '2h' });

onBothBackends('looking', (stage) => {
  it('get shows a scheduled job', async () => {
    const { clock, process } = stage();
    const { carillon } = process([]);
    const { id } = await carillon.schedule(task, 1, { key: 'k', headers: { trace: 'x' } });
    const now = new Date(clock.now());
    expect(await carillon.get(task, { id })).toEqual({
      id,
      task: 'add',
      queue: 'default',
      key: 'k',
      state: 'scheduled',
      payload: 1,
      headers: { trace: 'x' },
      placedAt: now,
      nominalAt: new Date(+now + HOUR),
      dueAt: new Date(+now + HOUR),
      settledAt: undefined,
      attemptsBegun: 0,
      failures: 0,
      interruptions: 0,
      attempts: [],
      holder: undefined,
      progress: undefined,
      result: undefined,
      reason: undefined,
      error: undefined,
    });
    expect(await carillon.get(task, { id: 'nobody' })).toBeUndefined();
    expect(await carillon.get(task, { key: 'nobody' })).toBeUndefined();
  });

  it('get shows each attempt, who holds it now, its progress and its result', async () => {
    const { clock, start } = stage();
    const end = gate();
    const { carillon } = await start([
      implement(task, async (n, attempt) => {
        if (attempt.number === 1) throw Object.assign(new TypeError('first'), { code: 'E_FIRST' });
        await attempt.progress({ at: 50 });
        await end.opened;
        return { sum: n + 1 };
      }),
    ]);
    const from = clock.now();
    const { id } = await carillon.schedule(task, 1);
    await clock.advance(HOUR + MINUTE);
    const second = from + HOUR + MINUTE;
    const running = await carillon.get(task, { id });
    expect(running).toMatchObject({
      state: 'running',
      attemptsBegun: 2,
      failures: 1,
      progress: { at: 50 },
      nominalAt: new Date(from + HOUR),
      dueAt: new Date(second),
      holder: { worker: 'worker-1', since: new Date(second), until: new Date(second + 30 * SECOND) },
      attempts: [
        { number: 1, worker: 'worker-1', outcome: 'failed', error: { name: 'TypeError', code: 'E_FIRST' } },
        { number: 2, worker: 'worker-1', outcome: 'running', startedAt: new Date(second) },
      ],
    });
    await clock.advance(20 * SECOND);
    end.open();
    await clock.advance(0);
    expect(await carillon.get(task, { id })).toMatchObject({
      state: 'done',
      result: { sum: 2 },
      holder: undefined,
      settledAt: new Date(second + 20 * SECOND),
      attempts: [{}, { outcome: 'done', endedAt: new Date(second + 20 * SECOND) }],
    });
  });

  it('result waits until the job is settled, wherever it runs', async () => {
    const { clock, start, process } = stage();
    await start([implement(task, (n) => ({ sum: n + 1 }))]);
    const { carillon } = process([]);
    const { id } = await carillon.schedule(task, 1);
    const waiting = carillon.result(task, { id }, { within: '2h' });
    await clock.advance(HOUR + SECOND);
    expect(await waiting).toMatchObject({ id, state: 'done', result: { sum: 2 } });
  });

  it('result gives up after its time, and tells an unknown job at once', async () => {
    const { clock, process } = stage();
    const { carillon } = process([]);
    const { id } = await carillon.schedule(task, 1);
    const waiting = codeOf(carillon.result(task, { id }, { within: '10s' }));
    await clock.advance(10 * SECOND - 1);
    expect(await Promise.race([waiting, Promise.resolve('waiting')])).toBe('waiting');
    await clock.advance(1);
    expect(await waiting).toBe('E_TIMEOUT');
    expect(await codeOf(carillon.result(task, { id: 'nobody' }))).toBe('E_ID');
  });

  const ten = async () => {
    const { clock, start } = stage();
    const { carillon } = await start([implement(task, (sum) => ({ sum })), implement(other, () => {})]);
    const from = clock.now();
    for (let n = 0; n < 5; n += 1) {
      await carillon.schedule(task, n, { id: `add-${n}x`, key: `k${n}`, in: { minutes: n } });
      await carillon.schedule(other, n, { id: `other-${n}x`, in: { minutes: n } });
    }
    await clock.advance(2 * MINUTE); // 0, 1 and 2 are done
    return { carillon, from };
  };
  const ids = (page: { jobs: readonly { id: string }[] }): string[] => page.jobs.map(({ id }) => id);

  it.each([
    ['task', { task }, ['add-0x', 'add-1x', 'add-2x', 'add-3x', 'add-4x']],
    ['queue', { queue: 'side' }, ['other-0x', 'other-1x', 'other-2x', 'other-3x', 'other-4x']],
    ['state', { task, states: ['scheduled'] }, ['add-3x', 'add-4x']],
    ['several states', { task: other, states: ['done', 'scheduled', 'dead'], queue: 'default' }, []],
    ['key prefix', { task, keyPrefix: 'k3' }, ['add-3x']],
    ['key prefix and state', { task, keyPrefix: 'k', states: ['done'] }, ['add-0x', 'add-1x', 'add-2x']],
    ['key prefix and another queue', { task, keyPrefix: 'k', queue: 'side' }, []],
  ])('list narrows by %s', async (_, query, expected) => {
    const { carillon } = await ten();
    expect(ids(await carillon.list(query)).toSorted()).toEqual(expected);
  });

  it('list narrows by due time, from (included) and before (excluded), also under a key prefix', async () => {
    const { carillon, from } = await ten();
    const range = { dueFrom: new Date(from + MINUTE), dueBefore: new Date(from + 3 * MINUTE) };
    expect(ids(await carillon.list({ task, ...range }))).toEqual(['add-1x', 'add-2x']);
    expect(ids(await carillon.list({ task, keyPrefix: 'k', ...range }))).toEqual(['add-1x', 'add-2x']);
  });

  it('list asks for the task beside a key prefix', async () => {
    const { carillon } = await ten();
    expect(await codeOf(carillon.list({ keyPrefix: 'k' }))).toBe('E_OPTIONS');
  });

  it('list goes page by page, and jobs() through all of them, each once', async () => {
    const { carillon } = await ten();
    const first = await carillon.list({ task, limit: 2 });
    const second = await carillon.list({ task, limit: 2, cursor: first.cursor ?? '' });
    const third = await carillon.list({ task, limit: 2, cursor: second.cursor ?? '' });
    expect([first, second, third].flatMap(ids)).toEqual(['add-0x', 'add-1x', 'add-2x', 'add-3x', 'add-4x']);
    expect(third.cursor).toBeUndefined();
    const all: string[] = [];
    for await (const { id } of carillon.jobs({ limit: 3 })) all.push(id);
    expect([all.length, new Set(all).size]).toEqual([10, 10]);
  });

  it('list tells running jobs from scheduled ones', async () => {
    const { clock, start } = stage();
    const { carillon } = await start([implement(task, () => new Promise<never>(() => {}))]);
    await carillon.schedule(task, 1, { id: 'runs', in: '1s' });
    await carillon.schedule(task, 1, { id: 'waits' });
    await clock.advance(SECOND);
    expect(ids(await carillon.list({ states: ['running'] }))).toEqual(['runs']);
    expect(ids(await carillon.list({ states: ['scheduled'] }))).toEqual(['waits']);
    expect(ids(await carillon.list())).toEqual(['runs', 'waits']);
  });

  it('forgets a settled job, and its key, after its keep, and not before its last message could have come', async () => {
    const { clock, start } = stage();
    const short = defineTask<number>('short', { keep: '1h' });
    const { carillon } = await start([implement(short, () => {})]);
    const { id } = await carillon.schedule(short, 1, { key: 'k' });
    await clock.advance(HOUR - 1);
    expect(await carillon.get(short, { id })).toMatchObject({ state: 'done' });
    await clock.advance(3 * 24 * HOUR);
    expect([await carillon.get(short, { id }), await carillon.get(short, { key: 'k' })]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('a call says how long its own job is kept, and nobody else’s', async () => {
    const { clock, start } = stage();
    const short = defineTask<number>('short', { keep: '1h' });
    const { carillon } = await start([implement(short, () => {})]);
    const usual = await carillon.schedule(short, 1);
    const kept = await carillon.schedule(short, 1, { keep: '4d' });
    await clock.advance(4 * 24 * HOUR - 1);
    expect(await carillon.get(short, usual)).toBeUndefined();
    expect(await carillon.get(short, kept)).toMatchObject({ state: 'done' });
    await clock.advance(1);
    expect(await carillon.get(short, kept)).toBeUndefined();
  });
});
