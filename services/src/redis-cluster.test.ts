import { Cluster } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { askRedis } from './redis.js';
import { startRedisCluster } from './redis-cluster.js';
import type { RedisCluster } from './redis-cluster.js';
import { describeWith } from './testing.js';

describeWith(['own redis-cluster'], 'a Redis cluster', () => {
  let cluster: RedisCluster | undefined;
  afterEach(() => cluster?.stop());

  test('keeps keys of every slot on three masters', async () => {
    cluster = await startRedisCluster();
    const client = new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
    const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`);
    for (const key of keys) await client.set(key, key);
    expect(await Promise.all(keys.map((key) => client.get(key)))).toEqual(keys);
    const sizes = await Promise.all(client.nodes('master').map((node) => node.dbsize()));
    expect(sizes).toHaveLength(3);
    expect(sizes.every((size) => size > 0)).toBe(true);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(keys.length);
    client.disconnect();
  });

  test('lets each master be followed by a replica of its own', async () => {
    cluster = await startRedisCluster({ replicas: 1 });
    for (const replicas of cluster.replicas) expect(replicas).toHaveLength(1);
    for (const [index, master] of cluster.nodes.entries()) {
      const info = String(await askRedis(cluster.replicas[index]![0]!.url, 'INFO', 'replication'));
      expect(info).toContain(`master_port:${master.port}`);
    }
  });
});
