// Credentials: a real broker with access control lets in who knows the secret, and tells the others what to do.

import { CarillonError } from '@carillon/core';
import type { Transport } from '@carillon/core/spi';
import { environmentCredentials, rocketmq, rocketmqAdmin, type RocketmqOptions } from '@carillon/rocketmq';
import { type RocketmqServer, startRocketmq } from '@carillon/services';
import { describeWith } from '@carillon/services/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

const user = { accessKey: 'carillon', accessSecret: 'a-secret-of-tests' };
const prefix = 'secret-';

let server: RocketmqServer;
describeWith(['own rocketmq'], 'access to RocketMQ', () => {
  beforeAll(async () => {
    server = await startRocketmq({ user, topics: ['secret-default'], groups: ['secret-default'] });
  });
  afterAll(() => server.stop());

  const open = async (options: Partial<RocketmqOptions>) => {
    const transport = rocketmq({ endpoint: server.endpoint, prefix, startTimeout: '5s', ...options });
    await transport.open(['default']);
    return transport;
  };

  /** Sends a message, receives it, and acknowledges it. */
  async function exchange(transport: Transport): Promise<void> {
    const message = { id: 'a', queue: 'default', body: Buffer.from('let in'), deliverAt: 0 };
    const { signal } = new AbortController();
    expect(await transport.send([message])).toMatchObject([{ outcome: 'sent' }]);
    const deliveries = await transport.receive({ queue: 'default', max: 1, leaseMs: 10_000, holder: 'test', signal });
    expect(deliveries.map(({ body }) => Buffer.from(body).toString())).toEqual(['let in']);
    expect(await deliveries[0]?.ack()).toBe('ok');
  }

  test('the right ones may send, receive and acknowledge', async () => {
    const transport = await open({ credentials: user });
    await exchange(transport);
    await transport.close();
  });

  test('an administrator with them creates topics and groups, and one without them does not', async () => {
    const nameServer = `127.0.0.1:${server.ports.nameserver}`;
    await expect(rocketmqAdmin({ nameServer, prefix }).provision(['made'])).rejects.toMatchObject({ code: 'E_BROKER' });
    await rocketmqAdmin({ nameServer, prefix, credentials: user }).provision(['made']);
    const transport = await open({ credentials: user, verify: ['made'] });
    await transport.close();
  });

  test('a user without a right on the topic: the command that gives it', { timeout: 60_000 }, async () => {
    const credentials = { accessKey: 'helper', accessSecret: 'another-secret' };
    const { accessKey, accessSecret } = credentials;
    await server.admin('createUser', '-c', 'DefaultCluster', '-u', accessKey, '-p', accessSecret, '-t', 'Normal');
    const error: unknown = await open({ credentials }).catch((reason: unknown) => reason);
    if (!CarillonError.is(error)) throw new Error('This user may do what nobody allowed.', { cause: error });
    expect(error).toMatchObject({ code: 'E_BROKER_ACCESS', next: expect.stringContaining('Run: mqadmin createAcl ') });

    const command = error.next.replace('<cluster>', 'DefaultCluster').split(' ');
    await server.admin('createAcl', ...command.slice(command.indexOf('-c')));
    const transport = await open({ credentials });
    await exchange(transport);
    await transport.close();
  });

  test('the environment may name them', async () => {
    const environment = { ROCKETMQ_ACCESS_KEY: user.accessKey, ROCKETMQ_ACCESS_SECRET: user.accessSecret };
    await (await open(environmentCredentials(environment))).close();
    expect([environmentCredentials({}), environmentCredentials({ ROCKETMQ_ACCESS_KEY: 'alone' })]).toEqual([{}, {}]);
  });

  test.each([
    ['none', {}],
    ['a wrong secret', { credentials: { ...user, accessSecret: 'guessed' } }],
    ['an unknown key', { credentials: { ...user, accessKey: 'nobody' } }],
  ])('%s: an error that says what to check', async (_, options) => {
    await expect(open(options)).rejects.toMatchObject({
      code: 'E_BROKER_ACCESS',
      next: expect.stringContaining('Check the credentials, and that they allow PUB and SUB on secret-default'),
    });
  });
});
