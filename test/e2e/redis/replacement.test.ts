// Replacement: what a server that started again has lost is told, also when the first look at it fails.

import { redis } from '@carillon/redis-dedupe';
import { startRedis, startTcpProxy } from '@carillon/services';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { jobContent, jobKey } from './job-content.js';
import { onFinding } from './redis-fixture.js';

const lost = jobKey('lost');

/** A ledger with one confirmed record on a server that is killed, started again, and not reachable yet. */
async function restarted() {
  const server = await startRedis({ appendfsync: 'always' });
  const proxy = await startTcpProxy({ target: server.port });
  const ledger = redis({ client: { host: '127.0.0.1', port: proxy.port }, timeoutMs: 1_000, onFinding });
  await ledger.open();
  const told: string[][] = [];
  ledger.onLoss((writes) => void told.push(writes.map(({ key }) => key.id)));
  const place = { do: 'put', key: lost, expect: { absent: true }, content: jobContent() } as const;
  await ledger.commit([{ nonce: 'place', writes: [place], durable: true }]);
  await proxy.refuse();
  await server.kill();
  await server.restart();
  const direct = new Redis(server.url);
  const stop = async (): Promise<void> => {
    direct.disconnect();
    await ledger.close();
    await proxy.stop();
    await server.stop();
  };
  return { proxy, ledger, told, direct, stop };
}

/** Resolves when so many calls of a command have been refused for want of a right. */
async function refused(direct: Redis, calls: number): Promise<void> {
  const count = async (): Promise<number> => {
    const found = /cmdstat_evalsha:.*rejected_calls=(\d+)/.exec(await direct.info('commandstats'));
    return Number(found?.[1] ?? 0);
  };
  await expect.poll(count, { timeout: 60_000 }).toBeGreaterThanOrEqual(calls);
}

test('E2: while the look fails it is made again, and what was lost is told once', async () => {
  const { proxy, told, direct, stop } = await restarted();
  await direct.flushall();
  await direct.call('ACL', 'SETUSER', 'default', '-evalsha');
  await proxy.heal();
  await refused(direct, 2);
  expect(told).toEqual([]);
  await direct.call('ACL', 'SETUSER', 'default', '+evalsha');
  await expect.poll(() => told, { timeout: 60_000 }).toEqual([['lost']]);
  await stop();
});

test('E1: nothing is told of a server that started again with all it had', async () => {
  const { proxy, ledger, told, direct, stop } = await restarted();
  await direct.call('ACL', 'SETUSER', 'default', '-evalsha');
  await proxy.heal();
  await refused(direct, 1); // so it has been noticed
  await direct.call('ACL', 'SETUSER', 'default', '+evalsha');
  const looked = async (): Promise<boolean> => /cmdstat_evalsha:calls=[1-9]/.test(await direct.info('commandstats'));
  await expect.poll(looked, { timeout: 60_000 }).toBe(true);
  expect(await ledger.read([lost])).toMatchObject([{ version: 1 }]);
  expect(told).toEqual([]);
  await stop();
});
