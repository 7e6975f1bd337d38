// TLS: the ledger over an encrypted connection, to a server that it knows, as a client that the server knows.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redis } from '@carillon/redis-dedupe';
import type { RedisLedgerOptions } from '@carillon/redis-dedupe';
import { freePort, startRedis } from '@carillon/services';
import type { RedisServer } from '@carillon/services';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobContent, jobKey } from './job-content.js';
import { onFinding } from './redis-fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'carillon-tls-'));
const file = (name: string): string => join(folder, name);
let server: RedisServer;
let url: string;

beforeAll(async () => {
  certify('server');
  certify('client');
  const port = await freePort();
  const config = {
    'tls-port': String(port),
    'tls-cert-file': file('server.crt'),
    'tls-key-file': file('server.key'),
    'tls-ca-cert-file': file('client.crt'),
    'tls-auth-clients': 'yes',
  };
  server = await startRedis({ config });
  url = `rediss://127.0.0.1:${port}`;
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

/** A key, and a certificate for it that it has signed itself. */
function certify(name: string): void {
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1'];
  const files = ['-keyout', file(`${name}.key`), '-out', file(`${name}.crt`)];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...names, ...files], {
    stdio: 'ignore',
  });
}

const pem = (name: string): Buffer => readFileSync(file(name));
const ledgerOf = (tls: NonNullable<RedisLedgerOptions['client']>['tls']) =>
  redis({ url, client: { tls, retryStrategy: () => null }, onFinding });

test('a claim is granted and recorded over TLS, with certificates on both sides', async () => {
  const ledger = ledgerOf({ ca: pem('server.crt'), key: pem('client.key'), cert: pem('client.crt') });
  await ledger.open();
  const key = jobKey('a');
  const claim = { key, generation: 1, holder: 'engine-a', nonce: 'claim', leaseMs: 60_000, create: jobContent() };
  const [answer] = await ledger.acquire([claim]);
  if (answer?.answer !== 'granted') throw new Error(`Expected a grant, not ${answer?.answer}.`);
  const expected = { version: 2, fence: answer.fence };
  const done = jobContent({ state: 'done', wakeAt: undefined });
  const put = { do: 'put', key, expect: expected, content: done } as const;
  expect(await ledger.commit([{ nonce: 'done', writes: [put], durable: true }])).toEqual([{ answer: 'ok' }]);
  expect(await ledger.read([key])).toMatchObject([{ state: 'done' }]);
  await ledger.close();
});

test('a server with a certificate that is not trusted gets nothing', async () => {
  const ledger = ledgerOf({ key: pem('client.key'), cert: pem('client.crt') });
  await expect(ledger.open()).rejects.toBeInstanceOf(Error);
});

test('a client without a certificate gets nothing', async () => {
  const ledger = ledgerOf({ ca: pem('server.crt') });
  await expect(ledger.open()).rejects.toBeInstanceOf(Error);
});
