// Effects in the commit of a completion: which commits carry them. That they happen with it is for a ledger to prove.

import { memory } from '@carillon/testing';
import { expect, test } from 'vitest';
import { Carillon } from '../carillon.js';
import type { Change, Ledger } from '../ports/ledger.js';
import type { Attempt } from '../task/handler.js';
import { silentLogger } from '../task/logger.js';
import { implement } from '../task/definition.js';
import { defineTask } from '../task/task.js';

const task = defineTask<null>('sell', { attempts: 2, retry: { backoff: () => '1ms' } });

/** A job that was run on a ledger that takes `'effect'`, and the effects that commits have carried. */
async function run(handle: (attempt: Attempt) => unknown, failing: 'no' | 'wholly' | 'partly' = 'no') {
  const { transport, ledger } = memory();
  const effects: unknown[] = [];
  const commit = async (changes: readonly Change[]) => {
    const carried = changes.flatMap(({ effect }) => effect ?? []);
    effects.push(...carried);
    const fails = carried.length > 0 && effects.length === 1 && failing !== 'no';
    if (fails)
      return changes.map(() => ({ answer: 'failed', reason: 'no room', partly: failing === 'partly' }) as const);
    return ledger.commit(changes);
  };
  const taking: Ledger = new Proxy(ledger, {
    get: (_, name) => {
      if (name === 'commit') return commit;
      if (name === 'takesEffect') return (effect: unknown) => effect === 'effect';
      const value: unknown = Reflect.get(ledger, name);
      return typeof value === 'function' ? (value.bind(ledger) as unknown) : value;
    },
  });
  const tasks = [implement(task, (_, attempt) => handle(attempt))];
  const carillon = new Carillon({ backend: { transport, ledger: taking }, tasks, logger: silentLogger });
  await carillon.start();
  const { id } = await carillon.schedule(task, null);
  const job = await carillon.result(task, { id }, { within: '10s' });
  await carillon.stop();
  return { job, effects };
}

test('U4: an effect goes with the commit of a success', async () => {
  const { job, effects } = await run((attempt) => attempt.completeWith('effect'));
  expect(job.state).toBe('done');
  expect(effects).toEqual(['effect']);
});

test('U4: it goes with no other', async () => {
  const { job, effects } = await run((attempt) => {
    attempt.completeWith('effect');
    throw new Error('after all');
  });
  expect(job.state).toBe('dead');
  expect(effects).toEqual([]);
});

test('U4: if it fails, so does the attempt', async () => {
  const { job, effects } = await run((attempt) => attempt.completeWith('effect'), 'wholly');
  expect(job.attempts.map(({ outcome, error }) => error?.message ?? outcome)).toEqual(['no room', 'done']);
  expect(effects).toEqual(['effect', 'effect']);
});

test('U4: if a part of it has happened, the job is dead', async () => {
  const { job, effects } = await run((attempt) => attempt.completeWith('effect'), 'partly');
  expect(job).toMatchObject({ state: 'dead', attemptsBegun: 1 });
  expect(effects).toEqual(['effect']);
});

test('an effect that the ledger does not take is refused at once', async () => {
  const { job, effects } = await run((attempt) => attempt.completeWith('something else'));
  expect(job.attempts[0]?.error).toMatchObject({ code: 'E_OPTIONS' });
  expect(effects).toEqual([]);
});
