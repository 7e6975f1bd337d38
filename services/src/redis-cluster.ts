// RedisCluster: three masters that share the slots, and replicas that take over if that is asked for.

import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, HOST } from './ports.js';
import { askRedis, startRedis } from './redis.js';
import type { RedisOptions, RedisServer } from './redis.js';

const MASTERS = 3;
const SLOTS = 16_384;
const NODE_TIMEOUT_MS = 2_000;
const AGREED_WITHIN_MS = 30_000;

/** How a cluster is started; each node gets these options. */
export type RedisClusterOptions = Omit<RedisOptions, 'port' | 'folder'> & {
  readonly folder?: string | undefined;
  /** How many replicas each master has. Default 0. */
  readonly replicas?: number | undefined;
};

/** A started cluster. */
export interface RedisCluster {
  /** The address of each master. */
  readonly urls: readonly string[];
  readonly nodes: readonly RedisServer[];
  /** The replicas of each master, in the order of the masters. */
  readonly replicas: readonly (readonly RedisServer[])[];
  /** Ends every node and removes its files. */
  stop(): Promise<void>;
}

/** Starts three masters and resolves when each node says that every slot is served, and every replica follows. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { replicas: count = 0, ...common } = options;
  const nodes: RedisServer[] = [];
  const replicas: RedisServer[][] = [];
  const stop = async () => {
    await Promise.all([...nodes, ...replicas.flat()].map((node) => node.stop()));
  };
  try {
    for (let index = 0; index < MASTERS; index += 1) nodes.push(await startNode(common, `node-${index}`));
    const share = Math.ceil(SLOTS / MASTERS);
    for (const [index, { url, port }] of nodes.entries()) {
      const last = Math.min(SLOTS, (index + 1) * share) - 1;
      await askRedis(url, 'CLUSTER', 'ADDSLOTSRANGE', String(index * share), String(last));
      await askRedis(url, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      if (index > 0) await askRedis(nodes[0]!.url, 'CLUSTER', 'MEET', HOST, String(port), await busPortOf(url));
    }
    await agreed(nodes);
    for (const master of nodes) {
      const own: RedisServer[] = [];
      replicas.push(own);
      for (let index = 0; index < count; index += 1) {
        const replica = await startNode(common, `replica-${replicas.length}-${index}`);
        own.push(replica);
        await askRedis(master.url, 'CLUSTER', 'MEET', HOST, String(replica.port), await busPortOf(replica.url));
      }
    }
    await agreed([...nodes, ...replicas.flat()]);
    const following = nodes.flatMap((master, index) => replicas[index]!.map(async (one) => follow(one, master)));
    await Promise.all(following);
  } catch (error) {
    await stop();
    throw error;
  }
  return { urls: nodes.map(({ url }) => url), nodes, replicas, stop };
}

async function startNode(options: RedisClusterOptions, name: string): Promise<RedisServer> {
  return startRedis({
    ...options,
    folder: options.folder && `${options.folder}/${name}`,
    config: {
      'cluster-enabled': 'yes',
      'cluster-config-file': 'nodes.conf',
      'cluster-node-timeout': String(NODE_TIMEOUT_MS),
      'cluster-port': String(await freePort()),
      'repl-diskless-sync-delay': '0',
      ...options.config,
    },
  });
}

async function busPortOf(url: string): Promise<string> {
  const [, port] = (await askRedis(url, 'CONFIG', 'GET', 'cluster-port')) as [string, string];
  return port;
}

/** Makes a replica of a master, and waits until it has what that has. */
async function follow({ url }: RedisServer, master: RedisServer): Promise<void> {
  await askRedis(url, 'CLUSTER', 'REPLICATE', String(await askRedis(master.url, 'CLUSTER', 'MYID')));
  await become(async () => String(await askRedis(url, 'INFO', 'replication')).includes('master_link_status:up'));
}

/** Waits until every node knows every other and serves. */
async function agreed(nodes: readonly RedisServer[]): Promise<void> {
  await become(async () => {
    const infos = await Promise.all(nodes.map(({ url }) => askRedis(url, 'CLUSTER', 'INFO')));
    return infos.every((info) => {
      const text = String(info);
      return text.includes('cluster_state:ok') && text.includes(`cluster_known_nodes:${nodes.length}`);
    });
  });
}

async function become(ready: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + AGREED_WITHIN_MS;
  while (!(await ready())) {
    if (performance.now() > deadline)
      throw new Error(`The nodes of the cluster do not agree within ${AGREED_WITHIN_MS} ms.`);
    await sleep(50);
  }
}
