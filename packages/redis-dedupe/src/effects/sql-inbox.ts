// SQL inbox: a table that remembers which executions have had their effect, written in the effect's own transaction.
//
// Q1  Entry and effect commit together or not at all: an execution has its effect once, however often it is attempted, and
//     whatever the ledger forgets.
// Q2  Whoever finds the entry does nothing and answers what was answered then; two attempts at once wait for each other.
// Q3  An attempt that has been told to stop commits nothing.
// Q4  A transaction that the work has broken or ended itself is an error, never taken for an effect.

import { CarillonError, type Duration, durationMs } from '@carillon/core/spi';
import type { Execution } from './execution.js';
import { type SqlClient, type SqlPool, tableName, transaction } from './sql-client.js';

/** Options of `sqlInbox`. */
export interface SqlInboxOptions {
  /** The table, perhaps with its schema. Default: `carillon_inbox`. */
  readonly table?: string;
}

/** What the inbox says of an execution: this attempt is the first to get here, or it has had its effect. */
export type SqlInboxEntry = { readonly done: false } | { readonly done: true; readonly result: unknown };

/** Makes a database remember which executions have had their effect. */
export class SqlInbox {
  /** The statement that makes the table, for your migrations; harmless where the table exists. */
  readonly schema: string;
  readonly #table: string;

  constructor(options: SqlInboxOptions = {}) {
    this.#table = tableName(options.table ?? 'carillon_inbox');
    this.schema = `CREATE TABLE IF NOT EXISTS ${this.#table} (
  execution_key text PRIMARY KEY,
  fence bigint NOT NULL,
  result text,
  entered_at timestamptz NOT NULL DEFAULT now()
)`;
  }

  /** Runs `work` in a transaction together with the execution's entry; on a repeat answers the first result instead. */
  commit<R>(pool: SqlPool, execution: Execution, work: (tx: SqlClient) => Promise<R>): Promise<R> {
    return transaction(pool, async (tx) => {
      const entry = await this.enter(tx, execution);
      if (entry.done) return entry.result as R; // Q2
      const result = await work(tx);
      await this.keep(tx, execution, result);
      return result;
    });
  }

  /** In a transaction of your own: enters the execution, before its effect. If it is `done`, leave the effect out. */
  async enter(tx: SqlClient, { idempotencyKey, fencingToken, signal }: Execution): Promise<SqlInboxEntry> {
    signal?.throwIfAborted(); // Q3
    const entered = await tx.query(
      `INSERT INTO ${this.#table} (execution_key, fence) VALUES ($1, $2) ON CONFLICT (execution_key) DO NOTHING`,
      [idempotencyKey, fencingToken],
    );
    if (entered.rowCount === 1) return { done: false };
    const { rows } = await tx.query(`SELECT result FROM ${this.#table} WHERE execution_key = $1`, [idempotencyKey]);
    const result = rows[0]?.['result'];
    return { done: true, result: typeof result === 'string' ? (JSON.parse(result) as unknown) : undefined };
  }

  /** In a transaction of your own: keeps the result, after the effect and as the last thing before the commit. */
  async keep(tx: SqlClient, { idempotencyKey, fencingToken, signal }: Execution, result: unknown): Promise<void> {
    const kept = await tx.query(`UPDATE ${this.#table} SET result = $3 WHERE execution_key = $1 AND fence = $2`, [
      idempotencyKey,
      fencingToken,
      result === undefined ? null : JSON.stringify(result),
    ]);
    if (kept.rowCount !== 1) throw transactionEnded(this.#table); // Q4
    signal?.throwIfAborted(); // Q3
  }

  /** Removes entries that are older than any attempt that may still come: longer than a job's retries and `keep` together. */
  async forget(client: SqlClient, olderThan: Duration): Promise<number> {
    const seconds = durationMs(olderThan, 'olderThan') / 1000;
    const { rowCount } = await client.query(
      `DELETE FROM ${this.#table} WHERE entered_at < now() - make_interval(secs => $1)`,
      [seconds],
    );
    return rowCount ?? 0;
  }
}

/** Makes a database remember which executions have had their effect. */
export function sqlInbox(options?: SqlInboxOptions): SqlInbox {
  return new SqlInbox(options);
}

function transactionEnded(table: string): CarillonError {
  return new CarillonError('E_OPTIONS', `The entry in ${table} was gone before the commit.`, {
    next: 'Let the inbox end the transaction: the work must neither commit nor roll it back.',
  });
}
