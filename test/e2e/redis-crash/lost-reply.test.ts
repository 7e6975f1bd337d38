// A network that loses the reply to a claim: Redis has granted it, and the worker does not know. It asks again with the same
// nonce and gets its own lease, long before that would end.

import { type RedisServer, startRedis, startTcpProxy, type TcpProxy } from '@carillon/services';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Fleet, tasks } from './fleet.js';

let server: RedisServer;
let proxy: TcpProxy;

beforeAll(async () => {
  server = await startRedis();
  proxy = await startTcpProxy({ target: server.port });
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

it.each(['retry', 'never-again'] as const)('%s: reply of the claim dropped, one start, no stall', async (policy) => {
  const url = `redis://127.0.0.1:${proxy.port}`;
  await using fleet = new Fleet({ workers: 1, ledger: { url, prefix: policy } });
  await fleet.start();
  const before = await fleet.carillon.schedule(tasks[policy], null); // has the server know the scripts
  await fleet.carillon.result(tasks[policy], before, { within: '9s' });

  const dropped = proxy.dropNextReply('worker-1'); // a claim is what says the holder's name
  const { id } = await fleet.carillon.schedule(tasks[policy], null);
  await dropped;
  const job = await fleet.carillon.result(tasks[policy], { id }, { within: '9s' }); // the lease would end after 10 s
  expect(job).toMatchObject({ state: 'done', attemptsBegun: 1 });
  expect(job.attempts.map(({ outcome }) => outcome)).toEqual(['done']);
  expect(fleet.starts.get(id)).toHaveLength(1);
});
