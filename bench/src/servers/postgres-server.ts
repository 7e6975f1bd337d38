// An own PostgreSQL: one cluster per benchmark, fsync on, and a fresh database for each measurement.

import { execFileSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort, ServerProcess } from './server-process.js';
import type { User } from './server-process.js';

/** A started cluster. */
export interface PostgresServer {
  /** Drops the database of the last measurement and makes an empty one; resolves with its connection string. */
  freshDatabase(): Promise<string>;
  stop(): Promise<void>;
}

// Memory for the work, and no checkpoint in the middle of it. What concerns durability stays as it is delivered.
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  max_connections: '200',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  log_min_messages: 'error',
};

/** Makes a cluster below `folder`, starts it and resolves when it answers. Root runs it as the user `postgres`. */
export async function startPostgres(
  programs: { readonly initdb: string; readonly postgres: string },
  folder: string,
): Promise<PostgresServer> {
  const home = mkdtempSync(join(folder, 'postgres-'));
  const user = unprivileged();
  if (user) chownSync(home, user.uid, user.gid);
  const port = await freePort();
  execFileSync(programs.initdb, ['-D', home, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: home,
    ...user,
  });
  const settings = Object.entries({ ...SETTINGS, port: String(port) }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const server = new ServerProcess(programs.postgres, ['-D', home, ...settings], {
    stopSignal: 'SIGINT', // its fast shutdown
    endSignal: 'SIGQUIT', // its immediate shutdown: unlike after SIGKILL no shared memory stays behind
    user,
  });
  const urlOf = (database: string) => `postgres://bench@127.0.0.1:${port}/${database}`;
  const stop = async () => {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await server.healthy(() => query(urlOf('postgres'), 'select 1'));
  } catch (error) {
    await stop();
    throw error;
  }
  let count = 0;
  return {
    async freshDatabase() {
      if (count > 0) await query(urlOf('postgres'), `drop database if exists bench${count} with (force)`);
      count += 1;
      await query(urlOf('postgres'), `create database bench${count}`);
      await query(urlOf('postgres'), 'checkpoint');
      return urlOf(`bench${count}`);
    },
    stop,
  };
}

/** The user to run as when this process is root. */
function unprivileged(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function query(connectionString: string, text: string): Promise<void> {
  const client = new Client({ connectionString });
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end().catch(() => {}); // never connected: the first error counts
  }
}
