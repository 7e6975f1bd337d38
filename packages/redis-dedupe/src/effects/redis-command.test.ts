import { expect, it } from 'vitest';
import { redisEffect } from './redis-effect.js';
import type { RedisCommand } from './redis-command.js';
import { type RedisClient, redisInbox } from './redis-inbox.js';

const push = (values: number): RedisCommand => ['RPUSH', 'sold', ...Array.from({ length: values }, () => 'x')];
const asked: unknown[] = [];
const client: RedisClient = {
  evalsha: async (sha) => (asked.push(sha), 'applied'),
  eval: async (script) => (asked.push(script), 'applied'),
};
const attempt = { idempotencyKey: 'job-1', fencingToken: 1 };

it('M1: what a script can not run is refused before anything is asked', async () => {
  const words = expect.objectContaining({ code: 'E_OPTIONS', message: expect.stringContaining('RPUSH of 8002 words') });
  expect(() => redisEffect([push(8_000)])).toThrow(words);
  await expect(redisInbox(client).commit(attempt, [['INCR', 'n'], push(8_000)])).rejects.toThrow(words);
  await expect(redisInbox(client).commit(attempt, [[] as never])).rejects.toThrow('An empty command');
  expect(asked).toEqual([]);
  expect(await redisInbox(client).commit(attempt, [push(6_998)])).toBe('applied');
});
