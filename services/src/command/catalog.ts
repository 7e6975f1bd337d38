// Catalog: the services that the command starts, each under one name.

import { askPostgres, startPostgres } from '../postgres.js';
import type { Program } from '../programs.js';
import { startRedisCluster } from '../redis-cluster.js';
import { startRedisSentinel } from '../redis-sentinel.js';
import { askRedis, startRedis } from '../redis.js';
import { askProxy } from '../rocketmq-probe.js';
import { HEALTH_TOPIC, startRocketmq, USUAL_PORTS } from '../rocketmq.js';
import type { Server, StartOptions } from '../server-process.js';

/** What tells a program where a service is: environment variables. */
export type Environment = Readonly<Record<string, string>>;

/** A service that was started. */
interface Started {
  readonly environment: Environment;
  readonly servers: readonly Server[];
}

/** Where a service is to listen: on one port, on the ports that it is usually found at, or on free ones. */
export type WantedPort = number | 'usual' | 'free';

/** A service that the command can start. */
export interface Service {
  /** The variables that tell where it is, the first of which is enough to know that somebody has one. */
  readonly variables: readonly [string, ...string[]];
  /** What a machine needs to start one. */
  readonly programs: readonly Program[];
  start(port: WantedPort, options: StartOptions): Promise<Started>;
  /** A real query; throws if it is not served. */
  check(environment: Environment): Promise<unknown>;
}

const portOf = (wanted: WantedPort, usual: number) =>
  wanted === 'free' ? undefined : wanted === 'usual' ? usual : wanted;

function freeOnly(name: string, port: WantedPort): void {
  if (typeof port === 'number') throw new Error(`${name} has several servers: it takes free ports only.`);
}

/** Every service by its name. */
export const catalog = {
  rocketmq: {
    variables: ['ROCKETMQ_ENDPOINT', 'ROCKETMQ_NAMESERVER'],
    programs: ['java', 'mvn'],
    async start(port, options) {
      const ports = port === 'usual' ? USUAL_PORTS : port === 'free' ? {} : { grpc: port };
      const { endpoint, nameserver, broker, ports: taken } = await startRocketmq({ ...options, ports });
      const environment = { ROCKETMQ_ENDPOINT: endpoint, ROCKETMQ_NAMESERVER: `127.0.0.1:${taken.nameserver}` };
      return { environment, servers: [nameserver, broker] };
    },
    check: ({ ROCKETMQ_ENDPOINT: endpoint = '' }) => askProxy(Number(endpoint.split(':')[1]), HEALTH_TOPIC),
  },
  redis: {
    variables: ['REDIS_URL'],
    programs: ['redis-server'],
    async start(port, options) {
      const redis = await startRedis({ ...options, port: portOf(port, 6379) });
      return { environment: { REDIS_URL: redis.url }, servers: [redis] };
    },
    check: ({ REDIS_URL: url = '' }) => askRedis(url, 'PING'),
  },
  valkey: {
    variables: ['VALKEY_URL'],
    programs: ['valkey-server'],
    async start(port, options) {
      const valkey = await startRedis({ ...options, server: 'valkey', port: portOf(port, 6379) });
      return { environment: { VALKEY_URL: valkey.url }, servers: [valkey] };
    },
    check: ({ VALKEY_URL: url = '' }) => askRedis(url, 'PING'),
  },
  'redis-cluster': {
    variables: ['REDIS_CLUSTER_URLS'],
    programs: ['redis-server'],
    async start(port, options) {
      freeOnly('redis-cluster', port);
      const { urls, nodes } = await startRedisCluster(options);
      return { environment: { REDIS_CLUSTER_URLS: urls.join(',') }, servers: nodes };
    },
    async check({ REDIS_CLUSTER_URLS: urls = '' }) {
      const infos = await Promise.all(urls.split(',').map((url) => askRedis(url, 'CLUSTER', 'INFO')));
      if (!infos.every((info) => String(info).includes('cluster_state:ok'))) throw new Error('a slot is not served');
    },
  },
  'redis-sentinel': {
    variables: ['REDIS_SENTINEL_URLS', 'REDIS_SENTINEL_NAME'],
    programs: ['redis-server'],
    async start(port, options) {
      freeOnly('redis-sentinel', port);
      const { name, sentinels, master, replica } = await startRedisSentinel(options);
      const urls = sentinels.map(({ url }) => url).join(',');
      const environment = { REDIS_SENTINEL_URLS: urls, REDIS_SENTINEL_NAME: name };
      return { environment, servers: [...sentinels, master, replica] };
    },
    async check({ REDIS_SENTINEL_URLS: urls = '', REDIS_SENTINEL_NAME: name = '' }) {
      const [url = ''] = urls.split(',');
      const [host, port] = (await askRedis(url, 'SENTINEL', 'get-master-addr-by-name', name)) as [string, string];
      return askRedis(`redis://${host}:${port}`, 'PING');
    },
  },
  postgres: {
    variables: ['POSTGRES_URL'],
    programs: ['initdb', 'postgres'],
    async start(port, options) {
      const postgres = await startPostgres({ ...options, port: portOf(port, 5432) });
      return { environment: { POSTGRES_URL: postgres.url }, servers: [postgres] };
    },
    check: ({ POSTGRES_URL: url = '' }) => askPostgres(url, 'select 1'),
  },
} as const satisfies Record<string, Service>;

/** The name of a service. */
export type ServiceName = keyof typeof catalog;

/** Every name, in the order in which services start. */
export const serviceNames = Object.keys(catalog) as readonly ServiceName[];
