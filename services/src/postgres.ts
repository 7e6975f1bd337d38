// Postgres: a cluster of its own, fsync on, and fresh databases on demand.

import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { home } from './home.js';
import { claimPort, HOST } from './ports.js';
import { findPrograms } from './programs.js';
import { ServerProcess } from './server-process.js';
import type { Server, StartOptions, User } from './server-process.js';

const OWNER = 'carillon';
const CONNECTED_WITHIN_MS = 5_000;

/** How a PostgreSQL is started. */
export interface PostgresOptions extends StartOptions {
  /** By default a free one. */
  readonly port?: number | undefined;
  /** Further settings of the server; they win over those made here. */
  readonly config?: Readonly<Record<string, string>> | undefined;
}

/** A started PostgreSQL. */
export interface PostgresServer extends Server {
  /** Connection string of the database `postgres`. */
  readonly url: string;
  readonly port: number;
  /** Drops the database that the last call made and makes an empty one; resolves with its connection string. */
  freshDatabase(): Promise<string>;
}

const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  max_connections: '200',
  listen_addresses: HOST,
  unix_socket_directories: '',
  log_min_messages: 'error',
};

/** Makes a cluster, starts it and resolves when it answers a query. Root runs it as the user `postgres`. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const programs = findPrograms(['initdb', 'postgres'], options);
  const place = home('postgres', options.folder);
  const port = await claimPort(options.port);
  const urlOf = (database: string) => `postgres://${OWNER}@${HOST}:${port}/${database}`;
  const data = join(place.folder, 'data');
  const user = unprivileged();
  const settings = Object.entries({ ...SETTINGS, port: String(port), ...options.config });
  try {
    initialise(programs.initdb, data, user);
  } catch (error) {
    place.remove();
    throw error;
  }
  const server = await ServerProcess.start({
    name: `PostgreSQL on port ${port}`,
    program: programs.postgres,
    args: ['-D', data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    home: place,
    probe: () => askPostgres(urlOf('postgres'), 'select 1'),
    stopSignal: 'SIGINT', // its fast shutdown
    endSignal: 'SIGQUIT', // its immediate shutdown: unlike after SIGKILL no shared memory stays behind
    user,
    outlives: options.outlives,
  });
  let count = 0;
  const freshDatabase = async () => {
    const ask = (text: string) => askPostgres(urlOf('postgres'), text);
    if (count > 0) await ask(`drop database if exists carillon${count} with (force)`);
    count += 1;
    await ask(`create database carillon${count}`);
    await ask('checkpoint');
    return urlOf(`carillon${count}`);
  };
  return Object.assign(server, { url: urlOf('postgres'), port, freshDatabase });
}

function initialise(initdb: string, data: string, user: User | undefined): void {
  mkdirSync(data, { mode: 0o700 });
  if (user) chownSync(data, user.uid, user.gid);
  execFileSync(initdb, ['-D', data, '-U', OWNER, '-A', 'trust', '-E', 'UTF8', '--locale=C'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: data,
    ...user,
  });
}

/** Runs one statement over a connection of its own. */
export async function askPostgres(connectionString: string, text: string): Promise<void> {
  const client = new Client({ connectionString, connectionTimeoutMillis: CONNECTED_WITHIN_MS });
  client.on('error', () => {}); // the rejected call says the same
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end().catch(() => {}); // never connected: the first error counts
  }
}

/** The user to run as when this process is root. */
function unprivileged(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
