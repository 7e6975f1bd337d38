import { existsSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { askPostgres, startPostgres } from './postgres.js';
import type { PostgresServer } from './postgres.js';
import { describeWith } from './testing.js';

describeWith(['own postgres'], 'a PostgreSQL of its own', () => {
  let postgres: PostgresServer | undefined;
  afterEach(() => postgres?.stop());

  test('gives an empty database each time, and keeps what was committed over a SIGKILL', async () => {
    postgres = await startPostgres({ config: { shared_buffers: '16MB' } });
    const first = await postgres.freshDatabase();
    await askPostgres(first, 'create table bell (rung int)');
    await postgres.kill();
    await expect(askPostgres(first, 'select 1')).rejects.toThrow();
    await postgres.restart();
    await askPostgres(first, 'select rung from bell');
    const second = await postgres.freshDatabase();
    await expect(askPostgres(second, 'select rung from bell')).rejects.toThrow('does not exist');
    const { folder } = postgres;
    await postgres.stop();
    expect(existsSync(folder)).toBe(false);
  });
});
