// A failover that loses writes: what Redis acknowledged after its replica was cut off is gone when that takes over. This is
// the one fault that breaks "exactly once" without a word, and the reason for effects that remember the key themselves.
//
// V1  A job is affected only if a write of its own was lost: affected jobs ≤ lost writes. The others are done once.
// V2  An affected job is run again, whatever its policy; only a transactional effect is still there exactly once.
// V3  A worker that held a job over the failover can't record its outcome, and is told so.
// V4  A completion that was recorded and lost is reported by who recorded it, and nothing else is.

import type { JobView } from '@carillon/core';
import { sqlInbox } from '@carillon/redis-dedupe/effects';
import { type PostgresServer, startPostgres, startRedis, startTcpProxy } from '@carillon/services';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Fleet, persistently, tasks } from './fleet.js';

const JOBS = 40;
const inbox = sqlInbox();
let postgres: PostgresServer;
let pool: Pool;

beforeAll(async () => {
  postgres = await startPostgres();
  pool = new Pool({ connectionString: postgres.url });
  pool.on('error', () => {}); // the server is stopped
  await pool.query(inbox.schema);
  await pool.query('CREATE TABLE effect (execution_key text NOT NULL)');
});
afterAll(async () => {
  await pool.end();
  await postgres.stop();
});

it.each(['retry', 'never-again'] as const)(
  '%s: affected jobs are run again, transactional effects are not',
  async (policy) => {
    const master = await startRedis({ appendfsync: 'always' });
    const replica = await startRedis({ appendfsync: 'always', config: { replicaof: `127.0.0.1 ${master.port}` } });
    const toMaster = await startTcpProxy({ target: master.port });
    const { port } = toMaster;
    const control = { master: new Redis(master.url), replica: new Redis(replica.url) };
    for (const client of Object.values(control)) client.on('error', () => {}); // it is killed
    const finishing = gate();
    let held = 0;
    const work = async (id: string, fencingToken: number): Promise<void> => {
      await inbox.commit(pool, { idempotencyKey: id, fencingToken }, async (tx) => {
        await tx.query('INSERT INTO effect VALUES ($1)', [id]);
      });
      if (!id.endsWith('held')) return;
      held += 1;
      await finishing.promise; // over the failover, the first time
    };
    const ledger = { url: `redis://127.0.0.1:${port}`, prefix: policy };
    const ids = (group: string): string[] => Array.from({ length: JOBS }, (_, index) => `${policy}-${index}-${group}`);
    const schedule = ({ carillon }: Fleet, group: string): Promise<unknown> =>
      Promise.all(ids(group).map((id) => carillon.schedule(tasks[policy], null, { id })));
    const settled = ({ carillon }: Fleet, group: string): Promise<readonly JobView[]> =>
      Promise.all(
        ids(group).map((id) => persistently(() => carillon.result(tasks[policy], { id }, { within: '100s' }))),
      );

    {
      await using before = new Fleet({ workers: 1, ledger, work });
      await before.start();
      await schedule(before, 'kept');
      await settled(before, 'kept');
    }
    await using fleet = new Fleet({ workers: 2, ledger, work });
    await Promise.all([schedule(fleet, 'lost'), schedule(fleet, 'held')]);
    await control.master.set('all of this', 'replicated');
    await expect.poll(() => control.replica.get('all of this'), { timeout: 60_000 }).toBe('replicated');
    await control.replica.replicaof('NO', 'ONE'); // from here on the master's writes are lost

    await fleet.start();
    await settled(fleet, 'lost');
    await expect.poll(() => held, { timeout: 60_000 }).toBe(JOBS);
    expect(fleet.doubles).toEqual([]);
    await toMaster.stop();
    await master.kill();
    const toReplica = await startTcpProxy({ target: replica.port, port });
    finishing.resolve();

    const jobs = [...(await settled(fleet, 'lost')), ...(await settled(fleet, 'held'))];
    expect(jobs.map(({ state, attemptsBegun }) => [state, attemptsBegun])).toEqual(jobs.map(() => ['done', 1]));
    expect([...fleet.starts.keys()].toSorted()).toEqual([...ids('lost'), ...ids('held')].toSorted()); // V1: none was kept
    expect([...fleet.starts.values()].map((tokens) => tokens.length)).toEqual(jobs.map(() => 2)); // V2
    expect([...fleet.lost].toSorted()).toEqual(ids('held').toSorted()); // V3
    expect([...fleet.forgotten].toSorted()).toEqual(ids('lost').toSorted()); // V4
    const kept = await settled(fleet, 'kept');
    expect(kept.map(({ state, attemptsBegun }) => [state, attemptsBegun])).toEqual(kept.map(() => ['done', 1])); // V1
    const { rows } = await pool.query('SELECT execution_key FROM effect WHERE execution_key LIKE $1', [`${policy}-%`]);
    expect(rows.map((row) => String(row.execution_key)).toSorted()).toEqual(
      ['kept', 'lost', 'held'].flatMap(ids).toSorted(),
    ); // V2
    for (const client of Object.values(control)) client.disconnect();
    await toReplica.stop();
    await Promise.all([master.stop(), replica.stop()]);
  },
);

function gate(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  return { promise: new Promise((open) => (resolve = open)), resolve: () => resolve() };
}
