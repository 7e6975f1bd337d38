import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import {
  codeOf,
  DAY,
  gate,
  HOUR,
  messageStage,
  MINUTE,
  onBothBackends,
  SECOND,
} from '../runtime/on-both-backends.fixture.test.js';

const task = defineTask<{ n: number }, string>('work', { in: '30m' });

onBothBackends('scheduling', (stage) => {
  it('runs a job at its time and not before (I2, I5)', async () => {
    const { clock, start } = stage();
    const starts: number[] = [];
    const { carillon } = await start([implement(task, ({ n }) => void starts.push(n, clock.now()))]);
    const from = clock.now();
    await carillon.schedule(task, { n: 1 });
    await clock.advance(30 * MINUTE - 1);
    expect(starts).toEqual([]);
    await clock.advance(1);
    expect(starts).toEqual([1, from + 30 * MINUTE]);
    await clock.advance(DAY);
    expect(starts).toHaveLength(2);
  });

  it.each([
    ['in', { in: '1h30m' as const }, 90 * MINUTE],
    ['in, as an object', { in: { hours: 2 } }, 2 * HOUR],
    ['at, as a Date', { at: new Date(Date.UTC(2026, 0, 1, 3)) }, 3 * HOUR],
    ['at, with an offset', { at: '2026-01-01T06:00:00+02:00' }, 4 * HOUR],
    ['at, on a wall clock', { at: '2026-01-01 06:00', timezone: 'Europe/Berlin' }, 5 * HOUR],
    ['a time in the past, at once', { at: new Date(0) }, 0],
  ])('takes %s', async (_, options, afterMs) => {
    const { clock, start } = stage();
    let startedAt: number | undefined;
    const { carillon } = await start([implement(task, () => void (startedAt = clock.now()))]);
    const from = clock.now();
    await carillon.schedule(task, { n: 1 }, options);
    await clock.advance(6 * HOUR);
    expect(startedAt).toBe(from + afterMs);
  });

  it('lets a process schedule that has neither started nor handlers, and another run it', async () => {
    const { clock, start, process } = stage();
    const seen: number[] = [];
    const producer = process([]);
    await producer.carillon.schedule(task, { n: 7 }, { in: '1s' });
    await producer.carillon.stop();
    await start([implement(task, ({ n }) => void seen.push(n))]);
    await clock.advance(SECOND);
    expect(seen).toEqual([7]);
  });

  it('gives a repeated id its first answer: while open, while running, and after it is settled (I2)', async () => {
    const { clock, start } = stage();
    const end = gate();
    let runs = 0;
    const handler = async (): Promise<string> => {
      runs += 1;
      await end.opened;
      return 'ok';
    };
    const { carillon, heard } = await start([implement(task, handler)]);
    const repeat = () => carillon.schedule(task, { n: 1 }, { id: 'one' });
    const first = await repeat();
    expect(first).toEqual({ id: 'one', outcome: 'scheduled' });
    expect(await repeat()).toEqual(first);
    await clock.advance(30 * MINUTE);
    expect(await repeat()).toEqual(first);
    end.open();
    await clock.advance(SECOND);
    expect(await repeat()).toEqual(first);
    await clock.advance(HOUR);
    expect([runs, heard('job:completed').length]).toEqual([1, 1]);
  });

  it('refuses an id that names another payload or another task', async () => {
    const { process } = stage();
    const { carillon } = process([]);
    await carillon.schedule(task, { n: 1 }, { id: 'one' });
    expect(await codeOf(carillon.schedule(task, { n: 2 }, { id: 'one' }))).toBe('E_ID_REUSED');
    const other = defineTask<{ n: number }>('other');
    expect(await codeOf(carillon.schedule(other, { n: 1 }, { id: 'one' }))).toBe('E_ID_REUSED');
  });

  it('tells repeats by what is stored, not by how it was spelled', async () => {
    const { process } = stage();
    const { carillon } = process([]);
    const loose = defineTask<Record<string, unknown>>('loose');
    const payload = JSON.parse('{"a":1,"constructor":2,"__proto__":{"b":3}}') as Record<string, unknown>;
    const first = await carillon.schedule(loose, { ...payload, gone: undefined }, { id: 'one' });
    expect(await carillon.schedule(loose, { ...payload, gone: undefined }, { id: 'one' })).toEqual(first);
    expect(await carillon.schedule(loose, { a: 1 }, { id: 'one' })).toEqual(first);
  });

  it('mints ids that are all different', async () => {
    const { process } = stage();
    const { carillon } = process([]);
    const calls = Array.from({ length: 200 }, (_, n) => ({ task, payload: { n } }));
    const answers = await carillon.scheduleMany(calls);
    expect(new Set(answers.map(({ id }) => id)).size).toBe(200);
  });

  it('places a batch in one round trip, with the answers in the order of the calls', async () => {
    const { clock, start } = stage();
    const seen: number[] = [];
    const { carillon, ledger } = await start([implement(task, ({ n }) => void seen.push(n))]);
    const before = ledger.calls('commit');
    const calls = [3, 1, 2].map((n) => ({ task, payload: { n }, options: { id: `id-${n}`, in: '1s' as const } }));
    const answers = await carillon.scheduleMany(calls);
    expect(answers.map(({ id }) => id)).toEqual(['id-3', 'id-1', 'id-2']);
    expect(ledger.calls('commit') - before).toBeLessThanOrEqual(1 + (stage().fused ? 0 : 3)); // and the strikes
    await clock.advance(SECOND);
    expect(seen.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
  });

  it('writes nothing of a batch of which one call is not usable', async () => {
    const { process } = stage();
    const { carillon } = process([]);
    const calls = [
      { task, payload: { n: 1 } },
      { task, payload: { n: 2 }, options: { key: '' } },
    ];
    expect(await codeOf(carillon.scheduleMany(calls))).toBe('E_ID');
    expect((await carillon.list()).jobs).toEqual([]);
  });

  it('says which job is in doubt if the ledger does not answer; repeating the call with its id is safe (M3)', async () => {
    const { clock, start } = stage();
    let runs = 0;
    const { carillon, ledger } = await start([implement(task, () => void (runs += 1))]);
    ledger.fail('commit', { when: 'after' });
    const failed = await carillon.schedule(task, { n: 1 }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'E_UNCLEAR', id: expect.any(String) });
    const { id } = failed as { id: string };
    expect(await carillon.schedule(task, { n: 1 }, { id })).toEqual({ id, outcome: 'scheduled' });
    await clock.advance(HOUR);
    expect(runs).toBe(1);
  });

  it.each([
    ['E_DURATION', { in: '5 parsecs' }],
    ['E_DUE', { at: '2026-01-01T00:00:00' }],
    ['E_ZONE', { at: '2026-01-01 00:00', timezone: 'Mars/Olympus' }],
    ['E_ID', { id: 'a\u0000b' }],
    ['E_ID', { key: '' }],
    ['E_ID', { id: 'x'.repeat(257) }],
    ['E_OPTIONS', { attempts: 0 }],
    ['E_OPTIONS', { queue: 'a/b' }],
    ['E_OPTIONS', { headers: { a: 1 } }],
    ['E_OPTIONS', { onExisting: 'maybe' }],
    ['E_OPTIONS', { record: 'on-claim', key: 'k' }],
  ])('refuses with %s what cannot be scheduled, before anything is written: %j', async (code, options) => {
    const { process } = stage();
    const { carillon } = process([]);
    expect(await codeOf(carillon.schedule(task, { n: 1 }, options as never))).toBe(code);
    expect((await carillon.list()).jobs).toEqual([]);
  });
});

it('schedule resolves with the commit: it does not wait for the broker, nor need it (M2)', async () => {
  const { process } = messageStage();
  const { carillon, transport, heard } = process([]);
  const hold = transport.hold('send');
  expect(await carillon.schedule(task, { n: 1 }, { id: 'one' })).toEqual({ id: 'one', outcome: 'scheduled' });
  await hold.reached;
  expect(heard('job:scheduled')).toMatchObject([{ id: 'one', outcome: 'scheduled' }]);
});
