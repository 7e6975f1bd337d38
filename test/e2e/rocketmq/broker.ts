// Broker: a real RocketMQ for tests: the one that the environment names, or one that is started for them.

/** A RocketMQ that tests may use. */
export interface Broker {
  readonly endpoint: string;
  readonly nameServer: string;
  close(): Promise<void>;
}

/** Opens the broker of `ROCKETMQ_ENDPOINT` and `ROCKETMQ_NAMESERVER`. */
export async function openBroker(): Promise<Broker> {
  const { ROCKETMQ_ENDPOINT: endpoint, ROCKETMQ_NAMESERVER: nameServer } = process.env;
  if (endpoint === undefined || nameServer === undefined) throw new Error('No broker.');
  return { endpoint, nameServer, close: async () => {} };
}
