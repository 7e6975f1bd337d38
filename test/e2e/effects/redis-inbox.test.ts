// The Redis inbox on a real Redis: each rule of redis-inbox.ts, and the failure that it survives.

import { redisInbox, type Execution } from '@carillon/redis-dedupe/effects';
import { type RedisServer, startRedis } from '@carillon/services';
import { Redis } from 'ioredis';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

let server: RedisServer;
let redis: Redis;

beforeAll(async () => {
  server = await startRedis({ appendfsync: 'always' });
  redis = new Redis(server.url);
  redis.on('error', () => {}); // it connects again
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});
beforeEach(() => redis.flushall());

const attempt = (fencingToken: number, idempotencyKey = 'job-1'): Execution => ({ idempotencyKey, fencingToken });
const sell = [
  ['DECRBY', 'stock:{item-7}', 1],
  ['RPUSH', 'sold:{item-7}', 'order-1'],
] as const;
const tag = 'item-7';

describe('B1: mark and commands happen together or not at all', () => {
  it('has its effect once, however often it is attempted', async () => {
    const inbox = redisInbox(redis);
    expect(await inbox.commit(attempt(1), sell, { tag })).toBe('applied');
    expect(await inbox.commit(attempt(2), sell, { tag })).toBe('repeated');
    expect(await inbox.commit(attempt(3, 'job-2'), sell, { tag })).toBe('applied');
    expect(await redis.get('stock:{item-7}')).toBe('-2');
  });

  it('keeps jobs apart without a tag too', async () => {
    const inbox = redisInbox(redis);
    for (const job of ['a', 'b', 'a']) await inbox.commit(attempt(1, job), [['INCR', 'count']]);
    expect(await redis.get('count')).toBe('2');
  });

  it('carries bytes as they are', async () => {
    const bytes = Buffer.from([0, 255, 10, 13]);
    await redisInbox(redis).commit(attempt(1), [['SET', 'bytes', bytes]]);
    expect(await redis.getBuffer('bytes')).toEqual(bytes);
  });

  it('survives SIGKILL of the server: both are there, or neither', async () => {
    const client = new Redis(server.url, { maxRetriesPerRequest: null });
    client.on('error', () => {}); // it connects again
    const jobs: string[] = [];
    const enough = new AbortController();
    const once = (fence: number, job: string): Promise<unknown> =>
      redisInbox(client).commit(attempt(fence, job), [['INCR', 'count']]);
    const lane = async (): Promise<void> => {
      while (!enough.signal.aborted) {
        const job = `job-${jobs.push('') - 1}`;
        await once(1, job); // one that is in flight at the kill is asked for again by the client
      }
    };
    const load = Promise.all(Array.from({ length: 50 }, lane));
    for (const restarts of [1, 2, 3]) {
      while (jobs.length < restarts * 500) await setImmediate();
      await server.kill();
      await server.restart();
    }
    enough.abort();
    await load;
    await Promise.all(jobs.map((_, index) => once(2, `job-${index}`)));
    expect(await client.get('count')).toBe(String(jobs.length));
    client.disconnect();
  });

  it('loads its script again after SCRIPT FLUSH', async () => {
    await redis.script('FLUSH');
    expect(await redisInbox(redis).commit(attempt(1), sell, { tag })).toBe('applied');
    await redis.script('FLUSH');
    expect(await redisInbox(redis).commit(attempt(2), sell, { tag })).toBe('repeated');
  });

  it('leaves nothing behind when there is no memory', async () => {
    await redis.config('SET', 'maxmemory', '1');
    await expect(redisInbox(redis).commit(attempt(1), sell, { tag })).rejects.toThrow('OOM');
    await redis.config('SET', 'maxmemory', '0');
    expect(await redis.keys('*')).toEqual([]);
    expect(await redisInbox(redis).commit(attempt(2), sell, { tag })).toBe('applied');
  });

  it('takes the longest command that it promises to take, and applies it', async () => {
    const most = ['RPUSH', 'sold:{item-7}', ...Array.from({ length: 6_998 }, () => 'x')] as const;
    expect(await redisInbox(redis).commit(attempt(1), [['INCR', 'n:{item-7}'], most], { tag })).toBe('applied');
    expect(await redis.llen('sold:{item-7}')).toBe(6_998);
  });

  it('remembers for as long as it is told to', async () => {
    await redisInbox(redis, { keep: '1h', prefix: 'shop:' }).commit(attempt(1), sell, { tag });
    const [mark] = await redis.keys('shop:{item-7}:*');
    expect(await redis.pttl(mark!)).toBeGreaterThan(3_590_000);
    expect(await redis.pttl(mark!)).toBeLessThanOrEqual(3_600_000);
  });
});

describe('B2: fenced', () => {
  it('refuses a zombie once a later attempt has written under the tag', async () => {
    const inbox = redisInbox(redis);
    const set = (by: string): [string, string, string][] => [['SET', 'owner:{item-7}', by]];
    await inbox.commit(attempt(1_790_000_000_123_457, 'job-2'), set('later'), { tag, fenced: true });
    const zombie = inbox.commit(attempt(1_790_000_000_123_456), set('zombie'), { tag, fenced: true });
    await expect(zombie).rejects.toThrow('E_STOPPED');
    expect(await redis.get('owner:{item-7}')).toBe('later');
    await inbox.commit(attempt(1_790_000_000_123_458, 'job-3'), set('latest'), { tag, fenced: true });
    expect(await redis.get('owner:{item-7}')).toBe('latest');
  });

  it('refuses nobody under another tag, or who does not ask for it', async () => {
    const inbox = redisInbox(redis);
    await inbox.commit(attempt(2, 'job-2'), sell, { tag, fenced: true });
    expect(await inbox.commit(attempt(1, 'job-3'), sell, { tag })).toBe('applied');
    expect(await inbox.commit(attempt(1, 'job-4'), [['INCR', 'n']], { tag: 'item-8', fenced: true })).toBe('applied');
  });
});

describe('B3: a command that fails', () => {
  it('leaves nothing behind if it is the first', async () => {
    await redis.rpush('stock:{item-7}', 'a list');
    await expect(redisInbox(redis).commit(attempt(1), sell, { tag })).rejects.toThrow('WRONGTYPE');
    await redis.del('stock:{item-7}');
    expect(await redisInbox(redis).commit(attempt(2), sell, { tag })).toBe('applied');
  });

  it('refuses nobody who was granted earlier if it is the first, fenced or not', async () => {
    const inbox = redisInbox(redis);
    await redis.rpush('stock:{item-7}', 'a list');
    await expect(inbox.commit(attempt(9, 'job-2'), sell, { tag, fenced: true })).rejects.toThrow('WRONGTYPE');
    await redis.del('stock:{item-7}');
    expect(await inbox.commit(attempt(5), sell, { tag, fenced: true })).toBe('applied');
    await expect(inbox.commit(attempt(4, 'job-3'), sell, { tag, fenced: true })).rejects.toThrow('E_STOPPED');
  });

  it('is repeated to every later attempt if others came before it', async () => {
    await redis.set('sold:{item-7}', 'no list');
    for (const fence of [1, 2]) {
      const broken = redisInbox(redis).commit(attempt(fence), sell, { tag });
      await expect(broken).rejects.toThrow('after others had been applied: WRONGTYPE');
    }
    expect(await redis.get('stock:{item-7}')).toBe('-1');
  });
});

it('does nothing for an attempt that has been told to stop', async () => {
  const signal = AbortSignal.abort(new Error('lease lost'));
  await expect(redisInbox(redis).commit({ ...attempt(1), signal }, sell, { tag })).rejects.toThrow('lease lost');
  expect(await redis.keys('*')).toEqual([]);
});
