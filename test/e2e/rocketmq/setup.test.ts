// Set-up: what a transport says when something is missing at the broker, and what it learns from a broker that allows less
// than it was told.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CarillonError } from '@carillon/core';
import { rocketmq, rocketmqAdmin, type RocketmqOptions } from '@carillon/rocketmq';
import { freePort, type RocketmqServer, startRocketmq } from '@carillon/services';
import { describeWith } from '@carillon/services/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

const HOUR_MS = 3_600_000;
const prefix = 'setup-';

let server: RocketmqServer;
let certificates: string;

describeWith(['own rocketmq'], 'the set-up of RocketMQ', () => {
  beforeAll(async () => {
    certificates = mkdtempSync(join(tmpdir(), 'carillon-tls-'));
    const [tlsKeyPath, tlsCertPath] = [join(certificates, 'key.pem'), join(certificates, 'certificate.pem')];
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const files = ['-keyout', tlsKeyPath, '-out', tlsCertPath];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...names, ...files], {
      stdio: 'ignore',
    });
    server = await startRocketmq({
      topics: ['setup-no-group'],
      config: { timerMaxDelaySec: '1800' },
      proxyConfig: { maxDelayTimeMills: HOUR_MS, tlsTestModeEnable: false, tlsKeyPath, tlsCertPath },
    });
    await rocketmqAdmin({ nameServer: `127.0.0.1:${server.ports.nameserver}`, prefix }).provision(['default']);
  });
  afterAll(async () => {
    await server.stop();
    rmSync(certificates, { recursive: true });
  });

  /** What opening fails with. */
  async function failure(queues: readonly string[], options: Partial<RocketmqOptions> = {}): Promise<CarillonError> {
    const transport = rocketmq({ endpoint: server.endpoint, prefix, startTimeout: '3s', ...options });
    const error: unknown = await transport.open(queues).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    await transport.close();
    if (!CarillonError.is(error)) throw new Error('Opening did not fail with a CarillonError.', { cause: error });
    return error;
  }

  test('a missing topic: the command that creates it', async () => {
    const { code, message } = await failure(['absent']);
    expect(code).toBe('E_BROKER_SETUP');
    expect(message).toContain('The topic setup-absent does not exist');
    expect(message).toContain('-t setup-absent -r 8 -w 8 -a +message.type=DELAY');
  });

  test('a topic of another type: the command that changes it', async () => {
    await server.admin('updateTopic', '-c', 'DefaultCluster', '-t', 'setup-normal', '-r', '1', '-w', '1');
    const { code, message } = await failure(['normal']);
    expect(code).toBe('E_BROKER_SETUP');
    expect(message).toContain('-t setup-normal');
  });

  test('a missing consumer group, for which the stock client waits for ever: the command that creates it', async () => {
    const { code, message } = await failure(['no-group']);
    expect(code).toBe('E_BROKER_SETUP');
    expect(message).toContain('updateSubGroup -n <name server> -c <cluster> -g setup-no-group -r 1000');
  });

  test('many queues at once: the proxy answers the settings of each', { timeout: 120_000 }, async () => {
    const queues = Array.from({ length: 8 }, (_, index) => `side-by-side-${index}`);
    await rocketmqAdmin({ nameServer: `127.0.0.1:${server.ports.nameserver}`, prefix }).provision(queues);
    for (let round = 0; round < 10; round += 1) {
      const transport = rocketmq({ endpoint: server.endpoint, prefix });
      await transport.open(queues);
      await transport.close();
    }
  });

  test('nobody there: which address was tried, and what the connection ran into', async () => {
    const endpoint = `127.0.0.1:${await freePort()}`;
    const { code, message, cause } = await failure([], { endpoint });
    expect(code).toBe('E_BROKER');
    expect(message).toContain(endpoint);
    expect(String(cause)).toContain('ECONNREFUSED');
  });

  test('something else there: the same', async () => {
    expect((await failure([], { endpoint: `127.0.0.1:${server.ports.broker}` })).code).toBe('E_BROKER');
  });

  test('a send to a missing topic is no refusal, which would be the end of the job', async () => {
    const transport = rocketmq({ endpoint: server.endpoint, prefix });
    await transport.open();
    const message = { id: 'a', body: Buffer.from('a'), deliverAt: 0 };
    await expect(transport.send([{ ...message, queue: 'absent' }])).rejects.toMatchObject({ code: 'E_BROKER_SETUP' });
    const mixed = await transport.send([
      { ...message, queue: 'absent' },
      { ...message, queue: 'default' },
    ]);
    expect(mixed.map(({ outcome }) => outcome)).toEqual(['unknown', 'sent']);
    await transport.close();
  });

  test('the limits of proxy and broker teach the horizon, and no message is refused for them', async () => {
    const transport = rocketmq({ endpoint: server.endpoint, prefix });
    await transport.open();
    expect(transport.limits.horizonMs).toBe(20 * HOUR_MS);
    const message = { id: 'a', queue: 'default', body: Buffer.from('a'), deliverAt: Date.now() + 10 * HOUR_MS };
    expect(await transport.send([message])).toMatchObject([{ outcome: 'sent' }]);
    expect(transport.limits.horizonMs).toBeLessThan(HOUR_MS / 2);
    expect(transport.limits.horizonMs).toBeGreaterThan(HOUR_MS / 4);
    await transport.close();
  });

  test('TLS with an authority of our own, and not with any other', async () => {
    const endpoint = `localhost:${server.ports.grpc}`;
    const root = readFileSync(join(certificates, 'certificate.pem'));
    const transport = rocketmq({ endpoint, prefix, tls: { root } });
    await transport.open(['default']);
    const message = { id: 'a', queue: 'default', body: Buffer.from('over TLS'), deliverAt: 0 };
    expect(await transport.send([message])).toMatchObject([{ outcome: 'sent' }]);
    await transport.close();
    const { code, cause } = await failure([], { endpoint, tls: true });
    expect(code).toBe('E_BROKER');
    expect(String(cause)).toContain('self-signed');
  });
});
