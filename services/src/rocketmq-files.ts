// RocketmqFiles: what a RocketMQ reads when it starts: its settings, and the topics and groups it begins with.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST } from './ports.js';

/** Where the parts of a RocketMQ listen. */
export interface RocketmqPorts {
  readonly nameserver: number;
  /** The broker's own; it also takes the port two below and the one above. */
  readonly broker: number;
  /** What clients speak to. */
  readonly grpc: number;
  /** The proxy's port for clients of the older kind. */
  readonly remoting: number;
}

/** Who may use a broker with access control. */
export interface RocketmqUser {
  readonly accessKey: string;
  readonly accessSecret: string;
}

const CLUSTER = 'DefaultCluster';

const HORIZON_DAYS = 30;
const QUEUES = 8;
const ATTEMPTS = 1_000;

/** What is to be written. */
export interface RocketmqSettings {
  readonly ports: RocketmqPorts;
  readonly precisionMs: number;
  readonly topics: readonly string[];
  readonly groups: readonly string[];
  /** Access control; this user may do everything. None if missing. */
  readonly user: RocketmqUser | undefined;
  readonly config: Readonly<Record<string, string>>;
  readonly proxyConfig: Readonly<Record<string, unknown>>;
}

/** Writes every file below `folder`; answers the paths of the settings. */
export function writeRocketmqFiles(folder: string, settings: RocketmqSettings): { broker: string; proxy: string } {
  const store = join(folder, 'store');
  const [broker, proxy] = [join(folder, 'broker.conf'), join(folder, 'rmq-proxy.json')];
  mkdirSync(join(store, 'config'), { recursive: true });
  writeFileSync(
    broker,
    `${lines({ ...brokerConfig(store, settings), ...brokerAccess(store, settings), ...settings.config })}\n`,
  );
  writeFileSync(proxy, JSON.stringify({ ...proxyConfig(settings), ...proxyAccess(settings), ...settings.proxyConfig }));
  writeToolsAccess(folder, settings);
  const topics = Object.fromEntries(settings.topics.map((name) => [name, delayTopic(name)]));
  writeFileSync(join(store, 'config', 'topics.json'), JSON.stringify({ topicConfigTable: topics, ...version }));
  const groups = Object.fromEntries(settings.groups.map((name) => [name, consumerGroup(name)]));
  writeFileSync(
    join(store, 'config', 'subscriptionGroup.json'),
    JSON.stringify({ subscriptionGroupTable: groups, ...version }),
  );
  return { broker, proxy };
}

const version = { dataVersion: { counter: 1, stateVersion: 0, timestamp: 0 } };

// Small files, so that a start takes little of the disk; and limits that leave room for what tests do.
function brokerConfig(store: string, { ports, precisionMs }: RocketmqSettings) {
  return {
    brokerClusterName: CLUSTER,
    brokerName: 'broker-a',
    brokerId: '0',
    brokerIP1: HOST,
    namesrvAddr: `${HOST}:${ports.nameserver}`,
    listenPort: String(ports.broker),
    registerNameServerPeriod: '10000',
    storePathRootDir: store,
    storePathCommitLog: join(store, 'commitlog'),
    mappedFileSizeCommitLog: '67108864',
    mappedFileSizeConsumeQueue: '6000000',
    mappedFileSizeTimerLog: '5200000',
    maxHashSlotNum: '50000',
    maxIndexNum: '200000',
    flushDiskType: 'ASYNC_FLUSH',
    fileReservedTime: '72',
    diskMaxUsedSpaceRatio: '95',
    timerWheelEnable: 'true',
    timerPrecisionMs: String(precisionMs),
    timerMaxDelaySec: String(HORIZON_DAYS * 86_400),
    timerEnableRetryUntilSuccess: 'true',
    recallMessageEnable: 'true',
    autoCreateTopicEnable: 'false',
    autoCreateSubscriptionGroup: 'false',
  };
}

function proxyConfig({ ports }: RocketmqSettings) {
  return {
    rocketMQClusterName: CLUSTER,
    proxyMode: 'local',
    namesrvAddr: `${HOST}:${ports.nameserver}`,
    localServeAddr: HOST,
    grpcServerPort: ports.grpc,
    remotingListenPort: ports.remoting,
    maxDelayTimeMills: HORIZON_DAYS * 86_400_000,
  };
}

const AUTHENTICATION = 'org.apache.rocketmq.auth.authentication.provider';
const AUTHORIZATION = 'org.apache.rocketmq.auth.authorization.provider';

function brokerAccess(store: string, { user }: RocketmqSettings): Record<string, string> {
  if (user === undefined) return {};
  const { accessKey, accessSecret } = user;
  return {
    authConfigPath: join(store, 'auth'),
    authenticationEnabled: 'true',
    authenticationProvider: `${AUTHENTICATION}.DefaultAuthenticationProvider`,
    authenticationMetadataProvider: `${AUTHENTICATION}.LocalAuthenticationMetadataProvider`,
    authorizationEnabled: 'true',
    authorizationProvider: `${AUTHORIZATION}.DefaultAuthorizationProvider`,
    authorizationMetadataProvider: `${AUTHORIZATION}.LocalAuthorizationMetadataProvider`,
    initAuthenticationUser: JSON.stringify({ username: accessKey, password: accessSecret }),
    innerClientAuthenticationCredentials: JSON.stringify({ accessKey, secretKey: accessSecret }),
  };
}

/** As whom the shipped admin tool comes. */
function writeToolsAccess(folder: string, { user }: RocketmqSettings): void {
  if (user === undefined) return;
  mkdirSync(join(folder, 'conf'), { recursive: true });
  writeFileSync(join(folder, 'conf', 'tools.yml'), `accessKey: ${user.accessKey}\nsecretKey: ${user.accessSecret}\n`);
}

function proxyAccess({ user }: RocketmqSettings) {
  if (user === undefined) return {};
  const { accessKey, accessSecret } = user;
  return {
    authenticationEnabled: true,
    authenticationProvider: `${AUTHENTICATION}.DefaultAuthenticationProvider`,
    authenticationMetadataProvider: 'org.apache.rocketmq.proxy.auth.ProxyAuthenticationMetadataProvider',
    authorizationEnabled: true,
    authorizationProvider: `${AUTHORIZATION}.DefaultAuthorizationProvider`,
    authorizationMetadataProvider: 'org.apache.rocketmq.proxy.auth.ProxyAuthorizationMetadataProvider',
    innerClientAuthenticationCredentials: JSON.stringify({ accessKey, secretKey: accessSecret }),
  };
}

function delayTopic(topicName: string) {
  return {
    topicName,
    readQueueNums: QUEUES,
    writeQueueNums: QUEUES,
    perm: 6,
    order: false,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    attributes: { 'message.type': 'DELAY' },
  };
}

function consumerGroup(groupName: string) {
  return { groupName, consumeEnable: true, consumeBroadcastEnable: true, retryQueueNums: 1, retryMaxTimes: ATTEMPTS };
}

function lines(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}
