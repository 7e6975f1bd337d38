import { defineTask, implement } from '@carillon/core';
import { expect, it } from 'vitest';
import { codeOf, gate, HOUR, MINUTE, onBothBackends, SECOND } from '../runtime/on-both-backends.fixture.test.js';

const task = defineTask<string, string>('remind', {
  in: '1h',
  retry: { backoff: { type: 'fixed', delay: '1m', jitter: 0 } },
});

onBothBackends('keys', (stage) => {
  /** A process whose first handler waits for `end` and then does as told. */
  const withFirstRunning = async (then: 'done' | 'throw') => {
    const { clock, start } = stage();
    const end = gate();
    const seen: string[] = [];
    const handler = async (payload: string): Promise<string> => {
      seen.push(payload);
      if (seen.length > 1) return payload;
      await end.opened;
      if (then === 'throw') throw new Error('no');
      return payload;
    };
    const process = await start([implement(task, handler)]);
    const first = await process.carillon.schedule(task, 'first', { key: 'k' });
    await clock.advance(HOUR);
    expect(seen).toEqual(['first']);
    return { ...process, clock, end, seen, first };
  };

  it('keep, the default, answers with the job that stands, and whether it is the same', async () => {
    const { clock, start } = stage();
    const seen: string[] = [];
    const { carillon } = await start([implement(task, (payload) => (seen.push(payload), payload))]);
    const { id } = await carillon.schedule(task, 'first', { key: 'k' });
    expect(await carillon.schedule(task, 'second', { key: 'k' })).toEqual({ id, outcome: 'kept', same: false });
    expect(await carillon.schedule(task, 'first', { key: 'k' })).toEqual({ id, outcome: 'kept', same: true });
    await clock.advance(2 * HOUR);
    expect(seen).toEqual(['first']);
  });

  it('replace cancels the job that stands and tells so (I10)', async () => {
    const { clock, start } = stage();
    const seen: string[] = [];
    const { carillon } = await start([implement(task, (payload) => (seen.push(payload), payload))]);
    const first = await carillon.schedule(task, 'first', { key: 'k' });
    await clock.advance(30 * MINUTE);
    const second = await carillon.schedule(task, 'second', { key: 'k', onExisting: 'replace' });
    expect(second).toEqual({ id: second.id, outcome: 'replaced', replaced: { id: first.id, attempts: 0 } });
    await clock.advance(2 * HOUR);
    expect(seen).toEqual(['second']);
    expect(await carillon.get(task, { id: first.id })).toMatchObject({ state: 'cancelled', reason: 'replaced' });
    expect(await carillon.get(task, { key: 'k' })).toMatchObject({ id: second.id, state: 'done' });
  });

  it('throttle keeps the time and takes the new payload', async () => {
    const { clock, start } = stage();
    const seen: unknown[] = [];
    const from = clock.now();
    const { carillon } = await start([implement(task, (payload) => (seen.push(payload, clock.now() - from), payload))]);
    const { id } = await carillon.schedule(task, 'first', { key: 'k' });
    await clock.advance(30 * MINUTE);
    expect(await carillon.schedule(task, 'second', { key: 'k', onExisting: 'throttle' })).toEqual({
      id,
      outcome: 'throttled',
    });
    await clock.advance(2 * HOUR);
    expect(seen).toEqual(['second', HOUR]);
  });

  it('error throws, names the job that stands, and places nothing', async () => {
    const { process } = stage();
    const { carillon } = process([]);
    const { id } = await carillon.schedule(task, 'first', { key: 'k' });
    const failure = carillon.schedule(task, 'second', { key: 'k', onExisting: 'error' });
    await expect(failure).rejects.toMatchObject({ code: 'E_KEY_EXISTS', id });
    expect((await carillon.list()).jobs).toHaveLength(1);
  });

  it('a settled job does not count as existing', async () => {
    const { clock, start } = stage();
    const { carillon } = await start([implement(task, (payload) => payload)]);
    const first = await carillon.schedule(task, 'first', { key: 'k' });
    await clock.advance(HOUR);
    const second = await carillon.schedule(task, 'second', { key: 'k', onExisting: 'error' });
    expect(second.outcome).toBe('scheduled');
    expect(second.id).not.toBe(first.id);
  });

  it('a key is one of its task: another task has its own', async () => {
    const { process } = stage();
    const { carillon } = process([]);
    const other = defineTask<string>('other');
    await carillon.schedule(task, 'a', { key: 'k' });
    expect(await carillon.schedule(other, 'b', { key: 'k' })).toMatchObject({ outcome: 'scheduled' });
  });

  it('keep answers with the running job', async () => {
    const { carillon, first, end } = await withFirstRunning('done');
    expect(await carillon.schedule(task, 'second', { key: 'k' })).toEqual({
      id: first.id,
      outcome: 'kept',
      same: false,
    });
    end.open();
  });

  it('replace leaves a running job to end and places another beside it', async () => {
    const { carillon, clock, first, end, seen } = await withFirstRunning('done');
    const second = await carillon.schedule(task, 'second', { key: 'k', onExisting: 'replace' });
    expect(second).toEqual({ id: second.id, outcome: 'running', replaced: { id: first.id, attempts: 1 } });
    end.open();
    await clock.advance(2 * HOUR);
    expect(seen).toEqual(['first', 'second']);
    expect(await carillon.get(task, { id: first.id })).toMatchObject({ state: 'done', result: 'first' });
    expect(await carillon.get(task, { key: 'k' })).toMatchObject({ id: second.id, state: 'done' });
  });

  it('replace is a wish to a running job: if its attempt fails, it is not repeated', async () => {
    const { carillon, clock, first, end, seen } = await withFirstRunning('throw');
    await carillon.schedule(task, 'second', { key: 'k', onExisting: 'replace' });
    end.open();
    await clock.advance(2 * HOUR);
    expect(seen).toEqual(['first', 'second']);
    expect(await carillon.get(task, { id: first.id })).toMatchObject({ state: 'cancelled', reason: 'replaced' });
  });

  it('throttle does not lose the new payload to a running job: another is placed beside it', async () => {
    const { carillon, clock, first, end, seen } = await withFirstRunning('done');
    const second = await carillon.schedule(task, 'second', { key: 'k', onExisting: 'throttle' });
    expect(second).toEqual({ id: second.id, outcome: 'running', replaced: { id: first.id, attempts: 1 } });
    end.open();
    await clock.advance(2 * HOUR);
    expect(seen).toEqual(['first', 'second']);
  });

  it('tells of the attempts that a replaced job had made between two of them', async () => {
    const { carillon, clock, first, end, seen } = await withFirstRunning('throw');
    end.open();
    await clock.advance(30 * SECOND);
    const second = await carillon.schedule(task, 'second', { key: 'k', onExisting: 'replace' });
    expect(second).toMatchObject({ outcome: 'replaced', replaced: { id: first.id, attempts: 1 } });
    await clock.advance(2 * HOUR);
    expect(seen).toEqual(['first', 'second']);
  });

  it('every answer under a key is repeated for the same id, whatever has happened since', async () => {
    const { clock, start } = stage();
    const { carillon } = await start([implement(task, (payload) => payload)]);
    const calls = [
      () => carillon.schedule(task, 'a', { key: 'k', id: 'a' }),
      () => carillon.schedule(task, 'b', { key: 'k', id: 'b' }),
      () => carillon.schedule(task, 'c', { key: 'k', id: 'c', onExisting: 'replace' }),
      () => carillon.schedule(task, 'd', { key: 'k', id: 'd', onExisting: 'throttle' }),
    ];
    const first: unknown[] = [];
    for (const call of calls) first.push(await call());
    expect(first).toMatchObject([
      { id: 'a', outcome: 'scheduled' },
      { id: 'a', outcome: 'kept' },
      { id: 'c', outcome: 'replaced', replaced: { id: 'a', attempts: 0 } },
      { id: 'c', outcome: 'throttled' },
    ]);
    for (const [index, call] of calls.entries()) expect(await call()).toEqual(first[index]);
    await clock.advance(2 * HOUR);
    for (const [index, call] of calls.entries()) expect(await call()).toEqual(first[index]);
    expect((await carillon.list({ states: ['scheduled'] })).jobs).toEqual([]);
  });

  it('finds a job with a key and an id of the caller by both', async () => {
    const { process } = stage();
    const { carillon } = process([]);
    await carillon.schedule(task, 'a', { key: 'k', id: 'mine' });
    expect(await carillon.get(task, { key: 'k' })).toMatchObject({ id: 'mine' });
    expect(await carillon.get(task, { id: 'mine' })).toMatchObject({ key: 'k' });
    expect(await carillon.cancel(task, { id: 'mine' })).toMatchObject({ outcome: 'cancelled', id: 'mine' });
  });

  it('refuses an id that names a job under another key', async () => {
    const { process } = stage();
    const { carillon } = process([]);
    await carillon.schedule(task, 'a', { key: 'k', id: 'mine' });
    expect(await codeOf(carillon.schedule(task, 'a', { key: 'l', id: 'mine' }))).toBe('E_ID_REUSED');
  });

  it('a batch decides call by call: the second of two under one key meets the first', async () => {
    const { process } = stage();
    const { carillon } = process([]);
    const [a, b, c] = await carillon.scheduleMany([
      { task, payload: 'a', options: { key: 'k' } },
      { task, payload: 'b', options: { key: 'k' } },
      { task, payload: 'c', options: { key: 'k', onExisting: 'replace' } },
    ]);
    expect([a, b, c]).toMatchObject([
      { outcome: 'scheduled' },
      { outcome: 'kept', id: a?.id },
      { outcome: 'replaced', replaced: { id: a?.id } },
    ]);
  });

  it('of many processes that schedule under one key at once, one places a job (I2)', async () => {
    const { process, clock, start } = stage();
    const seen: string[] = [];
    const producers = Array.from({ length: 5 }, () => process([]));
    const answers = await Promise.all(
      producers.map(({ carillon }, index) => carillon.schedule(task, `${index}`, { key: 'k', id: `id-${index}` })),
    );
    expect(answers.filter(({ outcome }) => outcome === 'scheduled')).toHaveLength(1);
    await start([implement(task, (payload) => (seen.push(payload), payload))]);
    await clock.advance(2 * HOUR);
    expect(seen).toHaveLength(1);
  });
});
