// What a crash at each point of placing a job leads to. The producer does not know what became of its call, and so it
// repeats the call with the same id.
//
// F1  The repeated call gets the first answer, and there is exactly one job.
// F2  The job runs once, also if nobody repeats the call (but for one that was never placed).
// F3  Nothing is left that could run again: no open record, no message.

import { describe, expect, it } from 'vitest';
import type { CrashPoint } from './crash-point.js';
import { Scene } from './scene.js';
import type { Store } from './store.js';
import { tasks } from './tasks.js';

const points: readonly { name: string; at: CrashPoint; stores: readonly Store[] }[] = [
  { name: 'before commit', at: 'before place', stores: ['fused', 'halves'] },
  { name: 'after commit, before the answer', at: 'after place', stores: ['fused', 'halves'] },
  { name: 'after commit, before send', at: 'before send', stores: ['halves'] },
  { name: 'after send, before it is marked as sent', at: 'before strike', stores: ['halves'] },
];

for (const store of ['fused', 'halves'] as const) {
  describe.concurrent(store, () => {
    for (const { name, at } of points.filter(({ stores }) => stores.includes(store))) {
      it(`${name}: the repeated call gets the first answer, and the job runs once`, async () => {
        await using scene = new Scene(store);
        const options = { id: 'own' };
        expect(await scene.producer('retry', options, { at, is: 'killed' }).ended).toBe('SIGKILL');
        const placed = await jobs(scene);
        expect(placed).toEqual(at === 'before place' ? [] : ['own']);

        const repeated = scene.producer('retry', options);
        expect((await repeated.told('answered')).answer).toEqual({ outcome: 'scheduled', id: 'own' }); // F1
        expect(await repeated.ended).toBe(0);
        await runsOnce(scene, store);
        expect(await jobs(scene)).toEqual(['own']); // F1
      });
    }

    for (const { name, at } of points.filter((point) => point.at !== 'before place' && point.stores.includes(store))) {
      it(`${name}: the job runs once, though nobody repeats the call`, async () => {
        await using scene = new Scene(store);
        const producer = scene.producer('retry', { id: 'own' }, { at, is: 'killed' });
        expect(await producer.ended).toBe('SIGKILL');
        await runsOnce(scene, store);
      });
    }

    it('replacing, after commit, before the answer: the repeated call replaces nothing more', async () => {
      await using scene = new Scene(store);
      const key = 'a key';
      await scene.carillon.schedule(tasks.retry, { pauseMs: 0 }, { id: 'first', key, in: '1h' });
      const options = { id: 'own', key, onExisting: 'replace', in: '1h' } as const;
      expect(await scene.producer('retry', options, { at: 'after place', is: 'killed' }).ended).toBe('SIGKILL');

      const repeated = scene.producer('retry', options);
      const { answer } = await repeated.told('answered');
      expect(answer).toEqual({ outcome: 'replaced', id: 'own', replaced: { id: 'first', attempts: 0 } }); // F1
      expect(await repeated.ended).toBe(0);
      const states = [];
      for await (const job of scene.carillon.jobs({ task: tasks.retry })) states.push([job.id, job.state]);
      expect(Object.fromEntries(states)).toEqual({ first: 'cancelled', own: 'scheduled' });
      expect(await scene.carillon.get(tasks.retry, { key })).toMatchObject({ id: 'own' });
    });
  });
}

async function jobs(scene: Scene): Promise<readonly string[]> {
  return (await scene.carillon.list({ task: tasks.retry })).jobs.map(({ id }) => id);
}

async function runsOnce(scene: Scene, store: Store): Promise<void> {
  const worker = scene.worker({ lease: '30s' });
  expect(await scene.settled('retry', 'own')).toMatchObject({ state: 'done', attemptsBegun: 1 }); // F2
  if (store === 'halves') await worker.told('after ack');
  await worker.stop();
  expect(scene.journal().map(({ what, idempotencyKey }) => [what, idempotencyKey])).toEqual([
    ['start', 'own'],
    ['effect', 'own'],
  ]); // F2
  expect(await scene.leftovers()).toBe(0); // F3
}
