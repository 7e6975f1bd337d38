// Bare strings: claim and mark as one compare-and-set each on a string, batched by 64, and nothing around them: no record, no
// index, no lists, no outbox. What is lost beside it is what the ledger does more, on the server and in the client.

import { createHash, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { Batch } from './batch.js';
import { type Claimer, KEPT_MS, LEASE_MS } from './claimer.js';

// KEYS: n marks. ARGV: milliseconds of the lease, of remembrance, n nonces. Value: state|deadline|fence|nonce.
const CLAIM = `
local t = redis.call('TIME')
local us = t[1] * 1000000 + t[2]
local now = math.floor(us / 1000)
local out = {}
for i = 1, #KEYS do
  local value, nonce = redis.call('GET', KEYS[i]), ARGV[2 + i]
  local state, deadline, fence, holder = 'R', 0, 0, ''
  if value then
    state, deadline, fence, holder = string.match(value, '^(%u)|(%d+)|(%d+)|(.*)$')
    deadline, fence = tonumber(deadline), tonumber(fence)
  end
  if state == 'D' then out[i] = 'D'
  elseif state == 'C' and holder == nonce then out[i] = string.format('%.0f', fence)
  elseif deadline > now then out[i] = 'B'
  else
    fence = string.format('%.0f', math.max(fence + 1, us))
    redis.call('SET', KEYS[i], 'C|' .. string.format('%.0f', now + ARGV[1]) .. '|' .. fence .. '|' .. nonce, 'PX', ARGV[2])
    out[i] = fence
  end
end
return out`;

// KEYS: n marks. ARGV: milliseconds of remembrance, n fences.
const FINISH = `
local out = {}
for i = 1, #KEYS do
  local value, fence = redis.call('GET', KEYS[i]), ARGV[1 + i]
  local state, kept = string.match(value or 'R|0|0|', '^(%u)|%d+|(%d+)|')
  if state == 'C' and kept == fence then redis.call('SET', KEYS[i], 'D|0|' .. fence .. '|', 'PX', ARGV[1]) end
  out[i] = kept == fence and 'K' or 'Z'
end
return out`;

/** Opens a client and loads the scripts. */
export async function bareClaimer(url: string): Promise<Claimer> {
  const client = new Redis(url, { lazyConnect: true });
  await client.connect();
  for (const script of [CLAIM, FINISH]) await client.script('LOAD', script);
  const claims = batchOf(client, CLAIM, [LEASE_MS, KEPT_MS]);
  const ends = batchOf(client, FINISH, [KEPT_MS]);
  return {
    async claim(id) {
      const answer = await claims.ask({ key: `mark:${id}`, arg: randomUUID() });
      if (answer === 'B' || answer === 'D') throw new Error(`The claim was answered: ${answer}.`);
      return Number(answer);
    },
    async finish(id, fence) {
      const answer = await ends.ask({ key: `mark:${id}`, arg: String(fence) });
      if (answer !== 'K') throw new Error(`The end was answered: ${answer}.`);
    },
    close: async () => client.disconnect(),
  };
}

function batchOf(client: Redis, script: string, first: readonly number[]): Batch<{ key: string; arg: string }, string> {
  const sha = createHash('sha1').update(script).digest('hex');
  return new Batch(async (asked) => {
    const keys = asked.map(({ key }) => key);
    const args = asked.map(({ arg }) => arg);
    return (await client.evalsha(sha, keys.length, ...keys, ...first, ...args)) as string[];
  });
}
