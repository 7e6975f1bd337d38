// SQL fence: a table that keeps the highest fencing token that a resource has seen, and refuses a lower one.
//
// N1  Once a transaction with a token has committed, none with a lower one does. Transactions on one resource take turns.
// N2  A fence refuses who was overtaken; it does not recognise a repeat, which comes with a higher token. For effects that
//     must not happen twice, enter the execution in a `SqlInbox` in the same transaction.

import type { Execution } from './execution.js';
import { overtaken } from './overtaken.js';
import { type SqlClient, tableName } from './sql-client.js';

/** Options of `sqlFence`. */
export interface SqlFenceOptions {
  /** The table, perhaps with its schema. Default: `carillon_fence`. */
  readonly table?: string;
}

/** Keeps attempts that were overtaken away from resources in a database. */
export class SqlFence {
  /** The statement that makes the table, for your migrations; harmless where the table exists. */
  readonly schema: string;
  readonly #table: string;

  constructor(options: SqlFenceOptions = {}) {
    this.#table = tableName(options.table ?? 'carillon_fence');
    this.schema = `CREATE TABLE IF NOT EXISTS ${this.#table} (resource text PRIMARY KEY, fence bigint NOT NULL)`;
  }

  /** In the transaction that writes to `resource`, before it does: throws `E_STOPPED` if a later attempt has been there. */
  async pass(tx: SqlClient, resource: string, { fencingToken }: Execution): Promise<void> {
    const passed = await tx.query(
      `INSERT INTO ${this.#table} AS kept (resource, fence) VALUES ($1, $2)
       ON CONFLICT (resource) DO UPDATE SET fence = excluded.fence WHERE kept.fence <= excluded.fence`,
      [resource, fencingToken],
    );
    if (passed.rowCount !== 1) throw overtaken(resource); // N1
  }
}

/** Keeps attempts that were overtaken away from resources in a database. */
export function sqlFence(options?: SqlFenceOptions): SqlFence {
  return new SqlFence(options);
}
