// Broker: a real RocketMQ for tests: the one that the environment names, or one that is started for them.

import { type Credentials, environmentCredentials } from '@carillon/rocketmq';
import { startRocketmq } from '@carillon/services';

/** A RocketMQ that tests may use, and must not break. */
export interface Broker {
  readonly endpoint: string;
  readonly nameServer: string;
  /** To be spread into the options of transport and administrator. */
  readonly access: { readonly credentials?: Credentials };
  close(): Promise<void>;
}

const { ROCKETMQ_ENDPOINT: endpoint, ROCKETMQ_NAMESERVER: nameServer } = process.env;

/** What a suite needs to open one. */
export const needs = endpoint !== undefined && nameServer !== undefined ? [] : (['own rocketmq'] as const);

/** The broker of `ROCKETMQ_ENDPOINT` and `ROCKETMQ_NAMESERVER`, with the credentials of the environment, else one of our own;
 *  fails, and says why, without either. */
export async function openBroker(): Promise<Broker> {
  if (endpoint !== undefined && nameServer !== undefined)
    return { endpoint, nameServer, access: environmentCredentials(), close: async () => {} };
  const server = await startRocketmq();
  return {
    endpoint: server.endpoint,
    nameServer: `127.0.0.1:${server.ports.nameserver}`,
    access: {},
    close: () => server.stop(),
  };
}
