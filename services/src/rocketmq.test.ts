import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askProxy } from './rocketmq-probe.js';
import { startRocketmq } from './rocketmq.js';
import type { RocketmqServer } from './rocketmq.js';
import { describeWith } from './testing.js';

describeWith(['own rocketmq'], 'a RocketMQ of its own', () => {
  let rocketmq: RocketmqServer;
  beforeAll(async () => {
    rocketmq = await startRocketmq({ topics: ['bells'], groups: ['ringers'] });
  });
  afterAll(() => rocketmq.stop());

  test('knows the topics that it was started with, and no other', async () => {
    await askProxy(rocketmq.ports.grpc, 'bells');
    await expect(askProxy(rocketmq.ports.grpc, 'gongs')).rejects.toThrow('40402');
  });

  test('the admin tool reaches it', async () => {
    expect(await rocketmq.admin('topicList')).toContain('bells');
    await rocketmq.admin('updateTopic', '-c', 'DefaultCluster', '-t', 'chimes', '-a', '+message.type=DELAY');
    await askProxy(rocketmq.ports.grpc, 'chimes');
  });

  test('serves again on the same ports after each of its processes was killed', async () => {
    const { endpoint } = rocketmq;
    await rocketmq.broker.kill();
    await expect(askProxy(rocketmq.ports.grpc, 'bells')).rejects.toThrow();
    await rocketmq.broker.restart();
    await askProxy(rocketmq.ports.grpc, 'bells');
    await rocketmq.kill();
    await rocketmq.restart();
    await askProxy(rocketmq.ports.grpc, 'bells');
    expect(rocketmq.endpoint).toBe(endpoint);
  });

  test('keeps its logs in its folder', () => {
    expect(rocketmq.logs.every((folder) => folder.startsWith(rocketmq.folder) && existsSync(folder))).toBe(true);
    expect(existsSync(join(rocketmq.folder, 'store', 'commitlog'))).toBe(true);
  });
});
