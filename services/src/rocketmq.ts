// Rocketmq: a RocketMQ of its own: a name server, and a proxy with the broker inside.

import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { home } from './home.js';
import { claimPort, freePort, HOST } from './ports.js';
import { findPrograms } from './programs.js';
import { writeRocketmqFiles } from './rocketmq-files.js';
import type { RocketmqPorts, RocketmqUser } from './rocketmq-files.js';
import { rocketmqJars } from './rocketmq-jars.js';
import { askNameserver, askProxy } from './rocketmq-probe.js';
import { ServerProcess } from './server-process.js';
import type { Server, StartOptions } from './server-process.js';

/** How a RocketMQ is started. */
export interface RocketmqOptions extends StartOptions {
  /** The broker's timer precision: 100, 200, 500 or 1000 ms, which is the default. */
  readonly precisionMs?: 100 | 200 | 500 | 1000 | undefined;
  /** Topics for delayed messages that exist from the start. */
  readonly topics?: readonly string[] | undefined;
  /** Consumer groups that exist from the start. */
  readonly groups?: readonly string[] | undefined;
  /** Turns access control on: this user may do everything, others what `admin` gives them. */
  readonly user?: RocketmqUser | undefined;
  /** Further settings of the broker; they win over those made here. */
  readonly config?: Readonly<Record<string, string>> | undefined;
  /** Further settings of the proxy; they win over those made here. */
  readonly proxyConfig?: Readonly<Record<string, unknown>> | undefined;
  /** By default free ones. */
  readonly ports?: Partial<RocketmqPorts> | undefined;
}

/** A started RocketMQ. */
export interface RocketmqServer {
  /** `host:port` that clients connect to. */
  readonly endpoint: string;
  readonly ports: RocketmqPorts;
  /** The process with the proxy and the broker. */
  readonly broker: Server;
  readonly nameserver: Server;
  /** Where its files are. */
  readonly folder: string;
  /** The folders of its logs. */
  readonly logs: readonly string[];
  /** Runs a command of the shipped admin tool, such as `updateTopic`; resolves with what it prints. Takes seconds. */
  admin(command: string, ...args: readonly string[]): Promise<string>;
  /** Sends SIGKILL to both processes; their files stay. */
  kill(): Promise<void>;
  /** Starts both again on the same files and ports, and resolves when clients are served. */
  restart(): Promise<void>;
  /** Ends both and removes their files, if their folder was not given. */
  stop(): Promise<void>;
}

/** The ports that a RocketMQ is usually found at. */
export const USUAL_PORTS: RocketmqPorts = { nameserver: 9876, broker: 10911, grpc: 8081, remoting: 8080 };

/** A topic that every RocketMQ started here has. */
export const HEALTH_TOPIC = 'carillon-health';
const QUICK_START = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];
const NAMESERVER_HEAP = [...QUICK_START, '-Xmx128m'];
const ADMIN_HEAP = [...QUICK_START, '-Xmx256m'];
const BROKER_HEAP = ['-Xms256m', '-Xmx512m', '-XX:MaxDirectMemorySize=1g'];
const JAVA_17 = [
  ...['jdk.internal.ref', 'java.nio', 'java.util'].flatMap((name) => ['--add-opens', `java.base/${name}=ALL-UNNAMED`]),
  '--add-exports',
  'java.base/sun.nio.ch=ALL-UNNAMED',
];

/** Starts a RocketMQ and resolves when the proxy knows the route of a topic. */
export async function startRocketmq(options: RocketmqOptions = {}): Promise<RocketmqServer> {
  const { java } = findPrograms(['java'], options);
  const jars = await rocketmqJars(options);
  const place = home('rocketmq', options.folder);
  const ports = { ...(await freePorts()), ...options.ports };
  for (const port of Object.values(options.ports ?? {})) await claimPort(port);
  const address = `${HOST}:${ports.nameserver}`;
  const files = writeRocketmqFiles(place.folder, {
    ports,
    precisionMs: options.precisionMs ?? 1_000,
    topics: [HEALTH_TOPIC, ...(options.topics ?? [])],
    groups: options.groups ?? [],
    user: options.user,
    config: options.config ?? {},
    proxyConfig: options.proxyConfig ?? {},
  });
  // Each process has a folder of its own, which is its home as well: logs go to the home.
  const within = (name: string) => home(name, join(place.folder, name));
  const args = (folder: string, kind: string, main: string, heap: readonly string[]) => {
    mkdirSync(join(folder, 'tmp'), { recursive: true });
    const settings = { 'user.home': folder, 'java.io.tmpdir': join(folder, 'tmp'), 'rocketmq.home.dir': place.folder };
    const defined = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`);
    const logback = `-Drmq.logback.configurationFile=rmq.${kind}.logback.xml`;
    return [...JAVA_17, ...heap, ...defined, logback, '-cp', join(jars, '*'), `org.apache.rocketmq.${main}`];
  };
  const common = {
    program: java,
    outlives: options.outlives,
    stopSignal: 'SIGKILL', // its files survive that, and SIGTERM takes a quarter of a minute
  } as const;

  async function startNameserver(): Promise<ServerProcess> {
    const own = within('nameserver');
    const settings = join(place.folder, 'nameserver.conf');
    writeFileSync(settings, `listenPort=${ports.nameserver}\n`);
    return ServerProcess.start({
      ...common,
      name: `RocketMQ name server on port ${ports.nameserver}`,
      args: [...args(own.folder, 'namesrv', 'namesrv.NamesrvStartup', NAMESERVER_HEAP), '-c', settings],
      home: own,
      probe: () => askNameserver(ports.nameserver),
    });
  }
  async function startBroker(): Promise<ServerProcess> {
    const own = within('broker');
    const flags = ['-pm', 'local', '-n', address, '-bc', files.broker, '-pc', files.proxy];
    return ServerProcess.start({
      ...common,
      name: `RocketMQ broker and proxy on port ${ports.grpc}`,
      args: [...args(own.folder, 'proxy', 'proxy.ProxyStartup', BROKER_HEAP), ...flags],
      home: own,
      probe: () => askProxy(ports.grpc, HEALTH_TOPIC, options.user),
    });
  }
  async function admin(command: string, ...rest: readonly string[]): Promise<string> {
    const own = within('admin');
    const flags = args(own.folder, 'tools', 'tools.command.MQAdminStartup', ADMIN_HEAP);
    const { stdout } = await promisify(execFile)(java, [...flags, command, '-n', address, ...rest]);
    return stdout;
  }

  let nameserver: ServerProcess | undefined;
  try {
    nameserver = await startNameserver();
    const broker = await startBroker();
    return assemble({ nameserver, broker });
  } catch (error) {
    await nameserver?.stop();
    place.remove();
    throw error;
  }

  function assemble({ nameserver, broker }: Record<'nameserver' | 'broker', ServerProcess>): RocketmqServer {
    return {
      endpoint: `${HOST}:${ports.grpc}`,
      ports,
      broker,
      nameserver,
      folder: place.folder,
      logs: [nameserver, broker].map(({ folder }) => join(folder, 'logs', 'rocketmqlogs')),
      admin,
      async kill() {
        await Promise.all([nameserver.kill(), broker.kill()]);
      },
      async restart() {
        await broker.kill();
        await nameserver.restart();
        await broker.restart();
      },
      async stop() {
        await Promise.all([nameserver.stop(), broker.stop()]);
        place.remove();
      },
    };
  }
}

async function freePorts(): Promise<RocketmqPorts> {
  const first = await freePort([1, 2, 3, 4, 5]); // the broker takes the ports two below and one above its own
  return { broker: first + 2, nameserver: first + 1, grpc: first + 4, remoting: first + 5 };
}
