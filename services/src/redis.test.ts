import { existsSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { askRedis, startRedis } from './redis.js';
import type { RedisServer } from './redis.js';
import { describeWith } from './testing.js';

describeWith(['own redis'], 'a Redis of its own', () => {
  let redis: RedisServer | undefined;
  afterEach(() => redis?.stop());

  test('answers, keeps its data over a SIGKILL with appendfsync always, and leaves nothing behind', async () => {
    redis = await startRedis({ appendfsync: 'always', config: { requirepass: 'secret' } });
    const { pid, folder, url, port } = redis;
    expect(await askRedis(url, 'SET', 'bell', 'rung')).toBe('OK');
    await redis.kill();
    await expect(askRedis(url, 'PING')).rejects.toThrow();
    await redis.restart();
    expect([redis.url, redis.port]).toEqual([url, port]);
    expect(redis.pid).not.toBe(pid);
    expect(await askRedis(url, 'GET', 'bell')).toBe('rung');
    await redis.restart();
    expect(await askRedis(url, 'GET', 'bell')).toBe('rung');
    await redis.stop();
    expect(existsSync(folder)).toBe(false);
    await expect(askRedis(url, 'PING')).rejects.toThrow();
  });

  test('serves nobody while it is paused, and everybody afterwards', async () => {
    redis = await startRedis();
    const { pid } = redis;
    const impatient = new Redis(redis.url, { commandTimeout: 200 });
    await impatient.ping();
    redis.pause();
    await expect(impatient.set('bell', 'rung')).rejects.toThrow('timed out');
    redis.resume();
    expect(await askRedis(redis.url, 'GET', 'bell')).toBe('rung');
    expect(redis.pid).toBe(pid);
    impatient.disconnect();
  });

  test('says what the server said if it does not get ready', async () => {
    await expect(startRedis({ config: { appendfsync: 'sometimes' } })).rejects.toThrow(/appendfsync/);
  });
});
