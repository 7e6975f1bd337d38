// The peers' servers, started when a measurement first needs them and stopped for sure with the benchmark.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresServer, RedisServer } from '@carillon/services';
import { startPostgres, startRedis } from '@carillon/services';
import type { Needs, Place } from './systems/system.js';

// Memory for the work, and no checkpoint in the middle of it. What concerns durability stays as it is delivered.
const POSTGRES = { shared_buffers: '1GB', max_wal_size: '8GB' };

/** Hands out a fresh place to each measurement. */
export interface Servers {
  /** An empty folder, and an empty Redis or database if it needs one; what the last one had is gone. */
  freshPlace(needs: Needs): Promise<Place>;
  /** Stops every server and removes every file. */
  stop(): Promise<void>;
}

/** Makes the benchmark's own folder; servers start at the first `freshPlace` that needs them. */
export function servers(options: { readonly install: boolean }): Servers {
  const home = mkdtempSync(join(tmpdir(), 'carillon-bench-'));
  const remove = () => rmSync(home, { recursive: true, force: true });
  process.once('exit', remove);
  let folder: string | undefined;
  let redis: RedisServer | undefined;
  let postgres: PostgresServer | undefined;

  const freshPlace = async (needs: Needs): Promise<Place> => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    folder = mkdtempSync(join(home, 'store-'));
    await redis?.stop();
    redis = undefined;
    if (needs === 'redis') {
      redis = await startRedis(options);
      return { folder, redis: { port: redis.port, folder: redis.folder } };
    }
    if (needs === 'postgres') {
      postgres ??= await startPostgres({ ...options, config: POSTGRES });
      return { folder, postgres: await postgres.freshDatabase() };
    }
    return { folder };
  };

  const stop = async () => {
    await Promise.all([redis?.stop(), postgres?.stop()]);
    remove();
  };
  return { freshPlace, stop };
}
