// Servers: the real servers of a replay: started, killed, and started again on what they had written.
//
// V1  A server that the environment names belongs to somebody else: it is used, and never killed.
// V2  Everything a replay writes to a server has a prefix of its own.

import { join } from 'node:path';
import { environmentCredentials, rocketmqAdmin } from '@carillon/rocketmq';
import { type RedisServer, type RocketmqServer, startRedis, startRocketmq } from '@carillon/services';
import type { BackendSetting } from './backend.js';

/** Which halves of the backend are on real servers. */
export interface Halves {
  readonly transport: 'embedded' | 'rocketmq';
  readonly ledger: 'embedded' | 'redis';
}

/** The servers of a replay. */
export class Servers {
  readonly setting: BackendSetting;
  readonly #rocketmq: RocketmqServer | undefined;
  readonly #redis: RedisServer | undefined;
  readonly #tell: (line: string) => void;
  #restarts = 0;

  private constructor(
    setting: BackendSetting,
    own: { rocketmq: RocketmqServer | undefined; redis: RedisServer | undefined },
    tell: (line: string) => void,
  ) {
    this.setting = setting;
    this.#rocketmq = own.rocketmq;
    this.#redis = own.redis;
    this.#tell = tell;
  }

  /** Starts what is needed, with its files below `folder`, where the embedded store goes too. */
  static async start(halves: Halves, folder: string, tell: (line: string) => void): Promise<Servers> {
    const store = join(folder, 'store');
    const prefix = `shop-${Date.now().toString(36)}-`; // V2
    const { ROCKETMQ_ENDPOINT: endpoint, ROCKETMQ_NAMESERVER: nameServer, REDIS_URL: url } = process.env;
    const setting: { -readonly [K in keyof BackendSetting]: BackendSetting[K] } = { store };
    let rocketmq: RocketmqServer | undefined;
    let redis: RedisServer | undefined;
    if (halves.transport === 'rocketmq') {
      if (endpoint === undefined) {
        tell('Starting RocketMQ.');
        rocketmq = await startRocketmq({ folder: join(folder, 'rocketmq'), progress: tell });
      }
      const admin = rocketmq ? `127.0.0.1:${String(rocketmq.ports.nameserver)}` : nameServer;
      if (admin !== undefined)
        await rocketmqAdmin({ nameServer: admin, prefix, ...environmentCredentials() }).provision(['default']);
      setting.rocketmq = { endpoint: rocketmq?.endpoint ?? endpoint!, prefix };
    }
    if (halves.ledger === 'redis') {
      if (url === undefined) {
        tell('Starting Redis.');
        redis = await startRedis({ folder: join(folder, 'redis'), appendfsync: 'always', progress: tell });
      }
      setting.redis = { url: redis?.url ?? url!, prefix };
    }
    return new Servers(setting, { rocketmq, redis }, tell);
  }

  /** Whether any half is on a real server, which takes longer to bring everything than the embedded store. */
  get real(): boolean {
    return this.setting.rocketmq !== undefined || this.setting.redis !== undefined;
  }

  /** How often a server was started again. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Kills the broker with its proxy and starts it again; resolves when it answers, at once if it is not ours (V1). */
  crashRocketmq(): Promise<void> {
    return this.#crash('RocketMQ (proxy and broker)', this.#rocketmq?.broker);
  }

  /** Kills Redis and starts it again; resolves when it answers, at once if it is not ours (V1). */
  crashRedis(): Promise<void> {
    return this.#crash('Redis', this.#redis);
  }

  /** Ends what was started. */
  async stop(): Promise<void> {
    await Promise.all([this.#rocketmq?.stop(), this.#redis?.stop()]);
  }

  async #crash(name: string, server: Pick<RedisServer, 'kill' | 'restart'> | undefined): Promise<void> {
    if (server === undefined) return;
    const killedAt = Date.now();
    await server.kill();
    this.#tell(`SIGKILL to ${name}.`);
    await server.restart();
    this.#restarts += 1;
    this.#tell(`${name} answers again, ${((Date.now() - killedAt) / 1000).toFixed(1)} s after its SIGKILL.`);
  }
}
