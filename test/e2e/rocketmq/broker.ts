// Broker: a real RocketMQ for tests: the one that the environment names, or one that is started for them.

import { startRocketmq } from '@carillon/services';

/** A RocketMQ that tests may use, and must not break. */
export interface Broker {
  readonly endpoint: string;
  readonly nameServer: string;
  close(): Promise<void>;
}

/** The broker of `ROCKETMQ_ENDPOINT` and `ROCKETMQ_NAMESERVER`, else one of our own; fails, and says why, without either. */
export async function openBroker(): Promise<Broker> {
  const { ROCKETMQ_ENDPOINT: endpoint, ROCKETMQ_NAMESERVER: nameServer } = process.env;
  if (endpoint !== undefined && nameServer !== undefined) return { endpoint, nameServer, close: async () => {} };
  const server = await startRocketmq();
  return {
    endpoint: server.endpoint,
    nameServer: `127.0.0.1:${server.ports.nameserver}`,
    close: () => server.stop(),
  };
}
