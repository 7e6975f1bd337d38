// Look: what a server tells about itself.

import type { Redis } from 'ioredis';
import type { Seen } from './fitness.js';

/** Looks at a server; what its user may not see stays undefined. */
export async function look(client: Redis, inCluster: boolean): Promise<Seen> {
  const askedAt = Date.now();
  const [seconds, micros] = await client.time();
  const skewMs = Number(seconds) * 1000 + Number(micros) / 1000 - (askedAt + Date.now()) / 2;
  const info = await fields(client.info(), ':');
  const config = await settings(client, ['appendfsync', 'min-replicas-to-write']);
  const { host, port } = client.options;
  return {
    name: `${host}:${port}`,
    product: info.has('valkey_version') ? 'Valkey' : 'Redis',
    version: info.get('valkey_version') ?? info.get('redis_version'),
    role: info.get('role'),
    policy: info.get('maxmemory_policy'),
    appendOnly: flag(info.get('aof_enabled')),
    appendFsync: config.get('appendfsync'),
    replicas: number(info.get('connected_slaves')),
    minReplicas: number(config.get('min-replicas-to-write')),
    skewMs,
    inCluster,
  };
}

/** Which process it is; undefined if it does not tell. */
export async function runIdOf(client: Redis): Promise<string | undefined> {
  return (await fields(client.info('server'), ':')).get('run_id');
}

/** How many bytes it uses, and how many it may use: 0 without a limit; NaN for what it does not tell. */
export async function memoryOf(client: Redis): Promise<{ readonly used: number; readonly most: number }> {
  const info = await fields(client.info('memory'), ':');
  return { used: Number(info.get('used_memory')), most: Number(info.get('maxmemory')) };
}

async function fields(asked: Promise<string>, separator: string): Promise<ReadonlyMap<string, string>> {
  const text = await asked.catch(unlessForbidden(''));
  return new Map(
    text.split('\r\n').map((line) => {
      const at = line.indexOf(separator);
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

async function settings(client: Redis, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of names) {
    const answer = (await client.config('GET', name).catch(unlessForbidden([]))) as readonly string[];
    if (answer.length === 2) found.set(name, answer[1]!);
  }
  return found;
}

/** Managed servers forbid or rename what they do not want to be asked. */
function unlessForbidden<T>(instead: T): (error: Error) => T {
  return (error) => {
    if (/^(NOPERM|ERR unknown command|ERR .*not allowed)/i.test(error.message)) return instead;
    throw error;
  };
}

function flag(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : text === '1';
}

function number(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
