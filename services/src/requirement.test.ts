import { describe, expect, test } from 'vitest';
import { find } from './requirement.js';
import type { Surroundings } from './requirement.js';

const bare: Surroundings = { environment: {}, services: { find: () => undefined }, hasProgram: () => false };
const started = (environment: Record<string, string>): Surroundings['services'] => ({
  find: () => ({ environment, processes: [], folder: '' }),
});

describe('a server', () => {
  test('that is nowhere is missing, with what to do about it', () => {
    expect(find('redis', bare)).toEqual({
      found: false,
      required: false,
      reason: 'no redis: start one with ./script/services start redis, or set REDIS_URL',
    });
  });

  test('that CARILLON_REQUIRE names is required, and no other', () => {
    const strict = { ...bare, environment: { CARILLON_REQUIRE: 'rocketmq, redis' } };
    expect(find('redis', strict)).toMatchObject({ found: false, required: true });
    expect(find('own redis', strict)).toMatchObject({ found: false, required: true });
    expect(find('redis-cluster', strict)).toMatchObject({ found: false, required: false });
  });

  test('R2: is the one of the environment, or else the one that was started', () => {
    const services = started({ ROCKETMQ_ENDPOINT: 'ours:1', ROCKETMQ_NAMESERVER: 'ours:2' });
    expect(find('rocketmq', { ...bare, services })).toEqual({
      found: true,
      environment: { ROCKETMQ_ENDPOINT: 'ours:1', ROCKETMQ_NAMESERVER: 'ours:2' },
    });
    const environment = { ROCKETMQ_ENDPOINT: 'theirs:1' };
    expect(find('rocketmq', { ...bare, services, environment })).toEqual({ found: true, environment });
  });
});

describe('a server of one’s own', () => {
  test('needs its programs', () => {
    const hasProgram = (program: string) => program !== 'postgres';
    expect(find('own redis', { ...bare, hasProgram })).toEqual({ found: true, environment: {} });
    expect(find('own postgres', { ...bare, hasProgram })).toMatchObject({
      found: false,
      reason: 'no postgres: this machine lacks postgres',
    });
  });
});
