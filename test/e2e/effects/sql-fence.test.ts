// The SQL fence on a real PostgreSQL, alone and beside the inbox: each rule of sql-fence.ts, and the failure that it survives.

import { sqlFence, sqlInbox, type Execution, type SqlClient } from '@carillon/redis-dedupe/effects';
import { type PostgresServer, startPostgres } from '@carillon/services';
import { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

const fence = sqlFence();
const inbox = sqlInbox();
let server: PostgresServer;
let pool: Pool;

beforeAll(async () => {
  server = await startPostgres();
  pool = new Pool({ connectionString: server.url });
  pool.on('error', () => {}); // the server is stopped
  for (const schema of [fence.schema, inbox.schema]) await pool.query(schema);
  await pool.query('CREATE TABLE seat (id text PRIMARY KEY, taken_by text, moves integer NOT NULL DEFAULT 0)');
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});
beforeEach(async () => {
  await pool.query('TRUNCATE carillon_fence, carillon_inbox, seat');
  await pool.query("INSERT INTO seat VALUES ('12A'), ('12B')");
});

const attempt = (fencingToken: number, idempotencyKey = 'job-1'): Execution => ({ idempotencyKey, fencingToken });
const seat = async (): Promise<unknown> =>
  (await pool.query("SELECT taken_by, moves FROM seat WHERE id = '12A'")).rows[0];

async function take(by: Execution, name: string, between = async (): Promise<void> => {}): Promise<void> {
  const tx = await pool.connect();
  try {
    await tx.query('BEGIN');
    await fence.pass(tx, 'seat 12A', by);
    await between();
    await tx.query("UPDATE seat SET taken_by = $1, moves = moves + 1 WHERE id = '12A'", [name]);
    await tx.query('COMMIT');
  } catch (error) {
    await tx.query('ROLLBACK');
    throw error;
  } finally {
    tx.release();
  }
}

it('N1: refuses a zombie that comes after a later attempt', async () => {
  await take(attempt(2), 'later');
  await expect(take(attempt(1), 'zombie')).rejects.toThrow('E_STOPPED');
  expect(await seat()).toEqual({ taken_by: 'later', moves: 1 });
});

it('N1: lets the zombie go first if it is first, and the later attempt after it', async () => {
  let later: Promise<void> | undefined;
  await take(attempt(1), 'zombie', async () => {
    later = take(attempt(2), 'later');
    await waitsForLock(); // they take turns
  });
  await later;
  expect(await seat()).toEqual({ taken_by: 'later', moves: 2 });
});

it('N1: forgets a token whose transaction was rolled back', async () => {
  const failing = take(attempt(2), 'later', () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  await take(attempt(1), 'first');
  expect(await seat()).toEqual({ taken_by: 'first', moves: 1 });
});

it('N1: keeps resources apart', async () => {
  await take(attempt(2), 'later');
  await fence.pass(pool, 'seat 12B', attempt(1));
});

it('N2: alone it lets a repeat in; with the inbox in the same transaction there is none', async () => {
  await take(attempt(1), 'job');
  await take(attempt(2), 'job');
  expect(await seat()).toEqual({ taken_by: 'job', moves: 2 });

  const guarded = (by: Execution): Promise<void> =>
    inbox.commit(pool, by, async (tx: SqlClient) => {
      await fence.pass(tx, 'seat 12A', by);
      await tx.query("UPDATE seat SET moves = moves + 1 WHERE id = '12A'");
    });
  await guarded(attempt(3, 'job-2'));
  await guarded(attempt(4, 'job-2'));
  expect(await seat()).toEqual({ taken_by: 'job', moves: 3 });
  await expect(guarded(attempt(2, 'job-3'))).rejects.toThrow('E_STOPPED');
  expect(await seat()).toEqual({ taken_by: 'job', moves: 3 });
});

/** Resolves when some connection waits for a lock. */
async function waitsForLock(): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    if (rowCount! > 0) return;
  }
}
