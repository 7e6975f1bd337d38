// Ours: the Redis ledger with an on-claim job, which is the one that has no record before its claim.

import { randomUUID } from 'node:crypto';
import type { RecordContent } from '@carillon/core/spi';
import { redis } from '@carillon/redis-dedupe';
import { type Claimer, KEPT_MS, LEASE_MS } from './claimer.js';

const content = (now: number, state: string, settled: boolean): RecordContent => ({
  generation: 1,
  queue: 'default',
  task: 'job',
  state,
  dueAt: now - 1000,
  wakeAt: settled ? undefined : now,
  expiresAt: settled ? now + KEPT_MS : undefined,
  durableGrant: false,
  brief: '0a1b2c',
  body: '{}',
  outbox: [],
});

/** Opens the ledger. */
export async function ledgerClaimer(url: string): Promise<Claimer> {
  const ledger = redis({ url, onFinding: () => {} });
  await ledger.open();
  const keyOf = (id: string) => ({ kind: 'job', id, partition: id });
  return {
    async claim(id) {
      const create = content(Date.now(), 'scheduled', false);
      const claim = { key: keyOf(id), generation: 1, holder: 'bench', nonce: randomUUID(), leaseMs: LEASE_MS, create };
      const [answer] = await ledger.acquire([claim]);
      if (answer?.answer !== 'granted') throw new Error(`The claim was answered: ${answer?.answer}.`);
      return answer.fence;
    },
    async finish(id, fence) {
      const done = content(Date.now(), 'done', true);
      const expect = { version: 2, fence };
      const put = { do: 'put', key: keyOf(id), expect, content: done } as const;
      const [answer] = await ledger.commit([{ nonce: randomUUID(), writes: [put], durable: true }]);
      if (answer?.answer !== 'ok') throw new Error(`The end was answered: ${answer?.answer}.`);
    },
    close: () => ledger.close(),
  };
}
