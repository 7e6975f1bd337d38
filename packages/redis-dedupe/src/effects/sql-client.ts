// SQL client: the little that effects need of a driver for PostgreSQL. `pg` fits as it is.

import { CarillonError } from '@carillon/core/spi';

/** One connection to the database: a `Client` or `PoolClient` of `pg`, or whatever a transaction of another library offers. */
export interface SqlClient {
  query(text: string, values?: unknown[]): Promise<SqlAnswer>;
}

/** What a statement answers. */
export interface SqlAnswer {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** How many rows a statement wrote or found. */
  readonly rowCount: number | null;
}

/** A connection out of a pool. */
export interface SqlConnection extends SqlClient {
  /** Gives it back; with `true` it is closed instead. */
  release(broken?: boolean): void;
  on?(event: 'error', listener: () => void): unknown;
  off?(event: 'error', listener: () => void): unknown;
}

/** Where connections come from: a `Pool` of `pg`. */
export interface SqlPool {
  connect(): Promise<SqlConnection>;
}

/** Runs `work` in a transaction of its own: committed when it resolves, rolled back when it rejects. */
export async function transaction<R>(pool: SqlPool, work: (tx: SqlConnection) => Promise<R>): Promise<R> {
  const tx = await pool.connect();
  const heard = (): void => {}; // a connection that breaks says so to its query too; unheard it would end the process
  tx.on?.('error', heard);
  let broken = true;
  try {
    await tx.query('BEGIN');
    const result = await work(tx);
    await tx.query('COMMIT');
    broken = false;
    return result;
  } catch (error) {
    await tx.query('ROLLBACK').then(
      () => (broken = false),
      () => {}, // closing the connection rolls back as well
    );
    throw error;
  } finally {
    tx.off?.('error', heard);
    tx.release(broken);
  }
}

/** The name of a table, perhaps with its schema; throws `E_OPTIONS` for anything that would have to be quoted. */
export function tableName(name: string): string {
  if (/^[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?$/.test(name)) return name;
  throw new CarillonError('E_OPTIONS', `${JSON.stringify(name)} is no name for a table.`, {
    next: "Write lower-case letters, digits and _, perhaps after a schema: 'shop.inbox'.",
  });
}
