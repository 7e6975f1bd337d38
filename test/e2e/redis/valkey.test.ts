// Valkey: the ledger passes its conformance suite there too, and can wait for its disk.

import { redis } from '@carillon/redis-dedupe';
import { startRedis } from '@carillon/services';
import type { RedisServer } from '@carillon/services';
import { describeWith } from '@carillon/services/testing';
import { ledgerConformance } from '@carillon/testing/conformance';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jobContent, jobKey } from './job-content.js';
import { onFinding, openLedger } from './redis-fixture.js';

describeWith(['own valkey'], 'valkey', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis({ server: 'valkey' });
  });
  afterAll(() => server.stop());

  ledgerConformance('the ledger of valkey', { open: () => openLedger({ url: server.url }), timeoutMs: 30_000 });
  ledgerConformance('the strict ledger of valkey', {
    open: () => openLedger({ url: server.url, strict: true }),
    timeoutMs: 60_000,
  });

  test('C3: strict waits for the disk, and is durable without appendfsync always', async () => {
    const ledger = redis({ url: server.url, strict: true, prefix: 'strict', onFinding });
    await ledger.open();
    expect(ledger.durability).toBe('fsync');
    const place = { do: 'put', key: jobKey('a'), expect: { absent: true }, content: jobContent() } as const;
    expect(await ledger.commit([{ nonce: 'place', writes: [place], durable: true }])).toEqual([{ answer: 'ok' }]);
    await ledger.close();
  });
});
