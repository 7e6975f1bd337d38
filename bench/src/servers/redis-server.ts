// An own Redis: append-only file, flushed every second, nothing evicted; gone when it is stopped.

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, ServerProcess } from './server-process.js';

/** Where a started Redis answers and writes. */
export interface RedisServer {
  readonly port: number;
  readonly folder: string;
  stop(): Promise<void>;
}

/** Starts an empty Redis with its files below `folder` and resolves when it answers. */
export async function startRedis(program: string, folder: string): Promise<RedisServer> {
  const home = mkdtempSync(join(folder, 'redis-'));
  const port = await freePort();
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: home,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
  };
  const server = new ServerProcess(
    program,
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    { stopSignal: 'SIGTERM', endSignal: 'SIGKILL' },
  );
  const stop = async () => {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await server.healthy(() => ping(port));
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, folder: home, stop };
}

async function ping(port: number): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => {}); // the rejected connect says the same
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}
