// The SQL inbox on a real PostgreSQL: each rule of sql-inbox.ts, and the failure that it survives.

import { Pool } from 'pg';
import { sqlInbox, type Execution, type SqlClient } from '@carillon/redis-dedupe/effects';
import { type PostgresServer, startPostgres } from '@carillon/services';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const inbox = sqlInbox();
let server: PostgresServer;
let pool: Pool;

beforeAll(async () => {
  server = await startPostgres();
  pool = new Pool({ connectionString: server.url });
  pool.on('error', () => {}); // the server is stopped
  await pool.query(inbox.schema);
  await pool.query(inbox.schema); // harmless
  await pool.query('CREATE TABLE account (id text PRIMARY KEY, balance integer NOT NULL)');
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});
beforeEach(async () => {
  await pool.query('TRUNCATE carillon_inbox, account');
  await pool.query("INSERT INTO account VALUES ('a', 100)");
});

const attempt = (fencingToken: number, signal?: AbortSignal): Execution => {
  return { idempotencyKey: 'shop/job-1', fencingToken, ...(signal && { signal }) };
};
const debit = async (tx: SqlClient): Promise<{ receipt: string }> => {
  await tx.query("UPDATE account SET balance = balance - 10 WHERE id = 'a'");
  return { receipt: 'r-1' };
};
const balance = async (): Promise<unknown> => (await pool.query('SELECT balance FROM account')).rows[0].balance;

describe('Q1: entry and effect commit together or not at all', () => {
  it('has its effect once, however often it is attempted', async () => {
    for (const fence of [1, 2, 3]) {
      expect(await inbox.commit(pool, attempt(fence), debit)).toEqual({ receipt: 'r-1' });
    }
    expect(pool.totalCount).toBe(1); // the connection was given back each time
    expect(await balance()).toBe(90);
  });

  it('has no entry if the effect fails: the next attempt has it', async () => {
    const failing = async (tx: SqlClient): Promise<never> => {
      await debit(tx);
      throw new Error('after the effect');
    };
    await expect(inbox.commit(pool, attempt(1), failing)).rejects.toThrow('after the effect');
    expect(await balance()).toBe(100);
    await inbox.commit(pool, attempt(2), debit);
    expect(await balance()).toBe(90);
  });

  it('survives the loss of the connection in the middle, and the pool goes on', async () => {
    const cut = async (tx: SqlClient): Promise<void> => {
      await debit(tx);
      await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
    };
    await expect(inbox.commit(pool, attempt(1), cut)).rejects.toThrow();
    expect(await balance()).toBe(100);
    await inbox.commit(pool, attempt(2), debit);
    expect(await balance()).toBe(90);
  });
});

describe('Q2: whoever finds the entry answers what was answered then', () => {
  it.each([undefined, null, 0, 'text', { deep: [1, 2] }])('answers %j again', async (result) => {
    expect(await inbox.commit(pool, attempt(1), async () => result)).toBe(result);
    expect(await inbox.commit(pool, attempt(2), () => expect.unreachable())).toEqual(result);
  });

  it('a zombie with a lower fence waits for the attempt that runs, and does nothing', async () => {
    let zombie: Promise<unknown> | undefined;
    await inbox.commit(pool, attempt(2), async (tx) => {
      await debit(tx);
      zombie = inbox.commit(pool, attempt(1), debit);
      await waitsForLock();
      return { receipt: 'of the later attempt' };
    });
    expect(await zombie).toEqual({ receipt: 'of the later attempt' });
    expect(await balance()).toBe(90);
  });

  it('if the attempt that runs fails, the one that waits has the effect', async () => {
    let waiting: Promise<unknown> | undefined;
    const failing = inbox.commit(pool, attempt(1), async (tx) => {
      await debit(tx);
      waiting = inbox.commit(pool, attempt(2), debit);
      await waitsForLock();
      throw new Error('late');
    });
    await expect(failing).rejects.toThrow('late');
    await waiting;
    expect(await balance()).toBe(90);
  });
});

describe('Q3: an attempt that has been told to stop commits nothing', () => {
  it('neither before nor after its effect', async () => {
    const stop = new AbortController();
    const late = inbox.commit(pool, attempt(1, stop.signal), async (tx) => {
      await debit(tx);
      stop.abort(new Error('lease lost'));
    });
    await expect(late).rejects.toThrow('lease lost');
    await expect(inbox.commit(pool, attempt(1, stop.signal), () => expect.unreachable())).rejects.toThrow('lease lost');
    expect(await balance()).toBe(100);
  });
});

describe('Q4: a transaction that the work has broken is an error', () => {
  it('when it swallows an error of the database', async () => {
    const swallowing = async (tx: SqlClient): Promise<void> => {
      await debit(tx);
      await tx.query('SELECT nonsense').catch(() => {});
    };
    await expect(inbox.commit(pool, attempt(1), swallowing)).rejects.toThrow('aborted');
    expect(await balance()).toBe(100);
  });

  it('when it rolls back itself', async () => {
    const ending = async (tx: SqlClient): Promise<void> => {
      await debit(tx);
      await tx.query('ROLLBACK');
    };
    await expect(inbox.commit(pool, attempt(1), ending)).rejects.toThrow('E_OPTIONS');
    expect(await balance()).toBe(100);
  });
});

it('works within a transaction of your own', async () => {
  const once = async (fence: number): Promise<unknown> => {
    const tx = await pool.connect();
    await tx.query('BEGIN');
    const entry = await inbox.enter(tx, attempt(fence));
    if (!entry.done) await inbox.keep(tx, attempt(fence), await debit(tx));
    await tx.query('COMMIT');
    tx.release();
    return entry;
  };
  expect(await once(1)).toEqual({ done: false });
  expect(await once(2)).toEqual({ done: true, result: { receipt: 'r-1' } });
  expect(await balance()).toBe(90);
});

it('forgets what is older than it is told to, and nothing younger', async () => {
  await inbox.commit(pool, attempt(1), debit);
  expect(await inbox.forget(pool, '1h')).toBe(0);
  await pool.query("UPDATE carillon_inbox SET entered_at = now() - interval '2 hours'");
  expect(await inbox.forget(pool, '1h')).toBe(1);
});

it('refuses a name that would have to be quoted', () => {
  for (const table of ['', 'Inbox', 'a.b.c', 'x; DROP TABLE y', '1st'])
    expect(() => sqlInbox({ table })).toThrow('E_OPTIONS');
  expect(sqlInbox({ table: 'shop.inbox_2' }).schema).toContain('shop.inbox_2');
});

/** Resolves when some connection waits for a lock. */
async function waitsForLock(): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    if (rowCount! > 0) return;
  }
}
