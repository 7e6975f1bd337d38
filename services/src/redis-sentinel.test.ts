import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { startRedisSentinel } from './redis-sentinel.js';
import type { RedisSentinel } from './redis-sentinel.js';
import { describeWith } from './testing.js';

describeWith(['own redis-sentinel'], 'a Sentinel group', () => {
  let group: RedisSentinel | undefined;
  afterEach(() => group?.stop());

  test.each([1, 3])('the replica takes over when the master is killed, with %i sentinels', async (sentinels) => {
    group = await startRedisSentinel({ sentinels });
    const client = new Redis({
      name: group.name,
      sentinels: group.sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
      maxRetriesPerRequest: null,
    });
    client.on('error', () => {}); // the master is killed below
    expect(await client.set('bell', 'rung')).toBe('OK');
    expect(await client.wait(1, 5_000)).toBe(1);
    expect(await group.masterPort()).toBe(group.master.port);
    await group.master.kill();
    expect(await client.get('bell')).toBe('rung');
    await expect.poll(() => group!.masterPort(), { timeout: 60_000 }).toBe(group.replica.port); // each hears it in its time
    client.disconnect();
  });
});
