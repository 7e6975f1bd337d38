// Comparison: the memory ledger, on which the simulator runs, against a real Redis, on the same random
// commands (L1 of simulation/ledger-commands.ts).

import { redis } from '@carillon/redis-dedupe';
import { startRedis } from '@carillon/services';
import type { RedisServer } from '@carillon/services';
import { memory, VirtualClock } from '@carillon/testing';
import { afterAll, beforeAll, test } from 'vitest';
import { compareLedgers } from '../../simulation/ledger-commands.js';
import { onFinding } from './redis-fixture.js';

const SEEDS = 20;

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`L1: the memory ledger and redis agree, seed ${seed}`, async () => {
    const clock = new VirtualClock();
    const first = memory({ clock });
    const options = { url: server.url, prefix: `seed-${seed}`, clock, onFinding };
    const ledgers = [redis(options), redis(options)];
    try {
      await Promise.all(ledgers.map((ledger) => ledger.open()));
      await compareLedgers(seed, clock, [first.ledger, first.another().ledger], ledgers);
    } finally {
      await Promise.all(ledgers.map((ledger) => ledger.close()));
    }
  });
}
