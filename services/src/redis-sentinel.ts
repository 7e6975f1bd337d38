// RedisSentinel: a master, its replica, and the sentinels that let the replica take over.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { home } from './home.js';
import { freePort, HOST } from './ports.js';
import { findPrograms } from './programs.js';
import { askRedis, configLines, startRedis } from './redis.js';
import type { RedisOptions, RedisServer } from './redis.js';
import { ServerProcess } from './server-process.js';
import type { Server } from './server-process.js';

const NAME = 'carillon';
const DOWN_AFTER_MS = 1_000;
const FAILOVER_WITHIN_MS = 5_000;
const AGREED_WITHIN_MS = 30_000;

/** How a master with replica and sentinels is started; master and replica get the options of a Redis. */
export type RedisSentinelOptions = Omit<RedisOptions, 'port'> & {
  /** How many sentinels watch, of which most must agree. Default 1. */
  readonly sentinels?: number | undefined;
};

/** A sentinel, which tells who the master is. */
export interface SentinelServer extends Server {
  readonly url: string;
  readonly port: number;
}

/** A started master with its replica and sentinels. */
export interface RedisSentinel {
  /** The name that the sentinels know the master by. */
  readonly name: string;
  readonly sentinels: readonly SentinelServer[];
  /** Who was the master at first. */
  readonly master: RedisServer;
  /** Who was its replica at first. */
  readonly replica: RedisServer;
  /** The port of who is the master now, as the sentinels say. */
  masterPort(): Promise<number>;
  /** Ends all of them and removes their files. */
  stop(): Promise<void>;
}

/** Starts them and resolves when the replica follows and every sentinel knows everybody. */
export async function startRedisSentinel(options: RedisSentinelOptions = {}): Promise<RedisSentinel> {
  const { sentinels: count = 1, folder, ...common } = options;
  const started: Server[] = [];
  const keep = <S extends Server>(server: S): S => {
    started.push(server);
    return server;
  };
  const within = (name: string) => folder && join(folder, name);
  const stop = async () => {
    await Promise.all(started.map((server) => server.stop()));
  };
  try {
    const master = keep(await startRedis({ ...common, folder: within('master') }));
    const follow = { ...common.config, replicaof: `${HOST} ${master.port}` };
    const replica = keep(await startRedis({ ...common, folder: within('replica'), config: follow }));
    await become(replica.url, 'INFO', ['replication'], (info) => String(info).includes('master_link_status:up'));
    const sentinels: SentinelServer[] = [];
    for (let index = 1; index <= count; index += 1) {
      const quorum = Math.floor(count / 2) + 1;
      const sentinel = startSentinel(master.port, quorum, { ...common, folder: within(`sentinel-${index}`) });
      sentinels.push(keep(await sentinel));
    }
    for (const { url } of sentinels) {
      await become(url, 'SENTINEL', ['master', NAME], (reply) => {
        const facts = new Map(pairs(reply as string[]));
        return facts.get('num-slaves') === '1' && facts.get('num-other-sentinels') === String(count - 1);
      });
    }
    const masterPort = async () => {
      const reply = await askRedis(sentinels[0]!.url, 'SENTINEL', 'get-master-addr-by-name', NAME);
      return Number((reply as [string, string])[1]);
    };
    return { name: NAME, sentinels, master, replica, masterPort, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startSentinel(masterPort: number, quorum: number, options: RedisOptions): Promise<SentinelServer> {
  const program = `${options.server ?? 'redis'}-server` as const;
  const path = findPrograms([program], options)[program];
  const place = home('sentinel', options.folder);
  const port = await freePort();
  const file = join(place.folder, 'sentinel.conf');
  const settings = {
    port: String(port),
    bind: HOST,
    dir: place.folder,
    sentinel: [
      `monitor ${NAME} ${HOST} ${masterPort} ${quorum}`,
      `down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `failover-timeout ${NAME} ${FAILOVER_WITHIN_MS}`,
    ],
  };
  writeFileSync(file, configLines(settings)); // the sentinel writes into it what it learns
  const url = `redis://${HOST}:${port}`;
  const server = await ServerProcess.start({
    name: `sentinel on port ${port}`,
    program: path,
    args: [file, '--sentinel'],
    home: place,
    probe: () => askRedis(url, 'PING'),
    outlives: options.outlives,
  });
  return Object.assign(server, { url, port });
}

/** Asks until the reply is as wanted. */
async function become(url: string, command: string, args: string[], wanted: (reply: unknown) => boolean) {
  const deadline = performance.now() + AGREED_WITHIN_MS;
  for (;;) {
    const reply = await askRedis(url, command, ...args);
    if (wanted(reply)) return;
    if (performance.now() > deadline) throw new Error(`${url} does not get ready: ${JSON.stringify(reply)}`);
    await sleep(50);
  }
}

function pairs(list: readonly string[]): [string, string][] {
  return list.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, list[index + 1]!]] : []));
}
