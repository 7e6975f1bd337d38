// Redis: a server of its own, Redis or Valkey, with an append-only file and nothing evicted.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { home } from './home.js';
import { claimPort, HOST } from './ports.js';
import { findPrograms } from './programs.js';
import { ServerProcess } from './server-process.js';
import type { Server, StartOptions } from './server-process.js';

const ANSWER_WITHIN_MS = 3_000;

/** Lines of a `redis.conf`: the setting's name and the rest of the line, several for a setting that is given often. */
export type RedisConfig = Readonly<Record<string, string | readonly string[]>>;

/** How a Redis is started. */
export interface RedisOptions extends StartOptions {
  /** By default a free one. */
  readonly port?: number | undefined;
  /** When its append-only file is flushed. Default `everysec`. */
  readonly appendfsync?: 'always' | 'everysec' | 'no' | undefined;
  /** Further settings; they win over those made here. */
  readonly config?: RedisConfig | undefined;
  /** Whose program it is. Default `redis`. */
  readonly server?: 'redis' | 'valkey' | undefined;
}

/** A started Redis. */
export interface RedisServer extends Server {
  /** `redis://…`, with the password if `requirepass` was set. */
  readonly url: string;
  readonly port: number;
}

/** Starts a Redis and resolves when it answers PING. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const program = `${options.server ?? 'redis'}-server` as const;
  const path = findPrograms([program], options)[program];
  const place = home(options.server ?? 'redis', options.folder);
  const port = await claimPort(options.port);
  const settings: RedisConfig = {
    port: String(port),
    bind: HOST,
    dir: place.folder,
    appendonly: 'yes',
    appendfsync: options.appendfsync ?? 'everysec',
    save: '""',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    ...options.config,
  };
  const file = join(place.folder, 'redis.conf');
  writeFileSync(file, configLines(settings));
  const password = settings['requirepass'];
  const url = `redis://${typeof password === 'string' ? `:${password}@` : ''}${HOST}:${port}`;
  const server = await ServerProcess.start({
    name: `${program} on port ${port}`,
    program: path,
    args: [file],
    home: place,
    probe: () => askRedis(url, 'PING'),
    outlives: options.outlives,
  });
  return Object.assign(server, { url, port });
}

/** Sends one command over a connection of its own and resolves with the reply; it does not try twice. */
export async function askRedis(url: string, command: string, ...args: readonly string[]): Promise<unknown> {
  const client = new Redis(url, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: ANSWER_WITHIN_MS,
    commandTimeout: ANSWER_WITHIN_MS,
  });
  client.on('error', () => {}); // the rejected connect says the same
  try {
    await client.connect();
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

/** Settings as the lines of a configuration file. */
export function configLines(settings: RedisConfig): string {
  const lines = Object.entries(settings).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((rest) => `${name} ${rest}`),
  );
  return `${lines.join('\n')}\n`;
}
