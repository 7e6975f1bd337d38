// Standalone: the ledger passes its conformance suite on one real Redis.

import { ledgerConformance } from '@carillon/testing/conformance';
import { startRedis } from '@carillon/services';
import type { RedisServer } from '@carillon/services';
import { afterAll, beforeAll } from 'vitest';
import { openLedger } from './redis-fixture.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

ledgerConformance('the ledger of redis', { open: () => openLedger({ url: server.url }), timeoutMs: 30_000 });

ledgerConformance('the ledger of redis with packed marks', {
  open: () => openLedger({ url: server.url, packedMarks: 1_000_000 }),
  timeoutMs: 30_000,
});
