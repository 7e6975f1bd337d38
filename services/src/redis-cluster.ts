// RedisCluster: three masters that share the slots, without replicas.

import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, HOST } from './ports.js';
import { askRedis, startRedis } from './redis.js';
import type { RedisOptions, RedisServer } from './redis.js';

const MASTERS = 3;
const SLOTS = 16_384;
const NODE_TIMEOUT_MS = 2_000;
const AGREED_WITHIN_MS = 30_000;

/** How a cluster is started; each node gets these options. */
export type RedisClusterOptions = Omit<RedisOptions, 'port' | 'folder'> & { readonly folder?: string | undefined };

/** A started cluster. */
export interface RedisCluster {
  /** The address of each master. */
  readonly urls: readonly string[];
  readonly nodes: readonly RedisServer[];
  /** Ends every node and removes its files. */
  stop(): Promise<void>;
}

/** Starts three masters and resolves when each of them says that every slot is served. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let index = 0; index < MASTERS; index += 1) nodes.push(await startNode(options, index));
    const share = Math.ceil(SLOTS / MASTERS);
    for (const [index, { url, port }] of nodes.entries()) {
      const last = Math.min(SLOTS, (index + 1) * share) - 1;
      await askRedis(url, 'CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last));
      await askRedis(url, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      const [first] = nodes as [RedisServer];
      if (index > 0) await askRedis(first.url, 'CLUSTER', 'MEET', HOST, String(port), await busPortOf(url));
    }
    await agreed(nodes);
  } catch (error) {
    await stop();
    throw error;
  }
  return { urls: nodes.map(({ url }) => url), nodes, stop };
}

async function startNode(options: RedisClusterOptions, index: number): Promise<RedisServer> {
  return startRedis({
    ...options,
    folder: options.folder && `${options.folder}/node-${index}`,
    config: {
      'cluster-enabled': 'yes',
      'cluster-config-file': 'nodes.conf',
      'cluster-node-timeout': String(NODE_TIMEOUT_MS),
      'cluster-port': String(await freePort()),
      ...options.config,
    },
  });
}

async function busPortOf(url: string): Promise<string> {
  const [, port] = (await askRedis(url, 'CONFIG', 'GET', 'cluster-port')) as [string, string];
  return port;
}

/** Waits until every node knows every other and serves. */
async function agreed(nodes: readonly RedisServer[]): Promise<void> {
  const deadline = performance.now() + AGREED_WITHIN_MS;
  for (;;) {
    const infos = await Promise.all(nodes.map(({ url }) => askRedis(url, 'CLUSTER', 'INFO')));
    const ready = infos.every((info) => {
      const text = String(info);
      return text.includes('cluster_state:ok') && text.includes(`cluster_known_nodes:${MASTERS}`);
    });
    if (ready) return;
    if (performance.now() > deadline) throw new Error(`The nodes of the cluster do not agree:\n${infos.join('\n')}`);
    await sleep(50);
  }
}
