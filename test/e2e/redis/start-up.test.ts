// Start-up: what a ledger says of servers that are not fit for it, and with which rights it makes do.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { redis } from '@carillon/redis-dedupe';
import type { Finding, RedisLedgerOptions } from '@carillon/redis-dedupe';
import { startRedis } from '@carillon/services';
import type { RedisServer } from '@carillon/services';
import { ledgerConformance } from '@carillon/testing/conformance';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { documentedRights } from './documented-rights.js';
import { openLedger } from './redis-fixture.js';

let server: RedisServer;
let direct: Redis;
beforeAll(async () => {
  server = await startRedis();
  direct = new Redis(server.url);
});
afterAll(async () => {
  direct.disconnect();
  await server.stop();
});

async function findings(options: RedisLedgerOptions = {}): Promise<readonly string[]> {
  const heard: Finding[] = [];
  const ledger = redis({ url: server.url, ...options, onFinding: (finding) => heard.push(finding) });
  await ledger.open();
  const found = [...heard.map(({ concern }) => concern), ledger.durability];
  await ledger.close();
  return found;
}

describe('a server with doubtful settings', () => {
  afterEach(async () => {
    await direct.config('SET', 'appendonly', 'yes');
    await direct.config('SET', 'appendfsync', 'everysec');
    await direct.config('SET', 'maxmemory-policy', 'noeviction');
    await direct.replicaof('NO', 'ONE');
  });

  test('everysec is warned of', async () => {
    expect(await findings()).toEqual(['everysec', 'async']);
  });

  test('appendfsync always is fine, and enough for strict', async () => {
    await direct.config('SET', 'appendfsync', 'always');
    expect(await findings()).toEqual(['fsync']);
    expect(await findings({ strict: true })).toEqual(['fsync']);
  });

  test('a policy that evicts is refused unless it is accepted', async () => {
    await direct.config('SET', 'maxmemory-policy', 'volatile-lru');
    await expect(findings()).rejects.toMatchObject({ code: 'E_STORE_UNFIT' });
    await expect(findings()).rejects.toThrow('maxmemory-policy is volatile-lru');
    expect(await findings({ accept: ['eviction'] })).toEqual(['eviction', 'everysec', 'async']);
  });

  test('no append-only file is refused unless it is accepted', async () => {
    await direct.config('SET', 'appendonly', 'no');
    await expect(findings()).rejects.toThrow('append-only');
    expect(await findings({ accept: ['volatile'] })).toContain('volatile');
  });

  test('a replica is refused, whatever is accepted', async () => {
    await direct.replicaof('127.0.0.1', 1);
    await expect(findings({ accept: ['replica'] })).rejects.toThrow('it is a replica');
  });

  test('strict is refused where it can’t be had', async () => {
    await expect(findings({ strict: { replicas: 1 } })).rejects.toThrow('strict asks for 1 replicas');
  });

  test('F2: a server that does not let itself be looked at is unverified', async () => {
    await direct.call('ACL', 'SETUSER', 'blind', 'on', '>secret', '~*', '+@all', '-config', '-info');
    const client = {
      host: '127.0.0.1',
      port: server.port,
      username: 'blind',
      password: 'secret',
      enableReadyCheck: false,
    };
    await expect(findings({ url: undefined, client })).rejects.toThrow('does not tell version');
    const accepted: RedisLedgerOptions = { url: undefined, client, accept: ['unverified'] };
    expect(await findings(accepted)).toEqual(['unverified', 'unverified', 'async']);
    await direct.call('ACL', 'SETUSER', 'blind', '+info');
    expect(await findings({ url: undefined, client })).toEqual(['unverified', 'async']);
  });
});

describe('a user with the documented rights', () => {
  const rights = documentedRights;
  const client = () => ({ host: '127.0.0.1', port: server.port, username: 'carillon', password: 'secret' });
  beforeAll(async () => {
    expect(rights.length).toBeGreaterThan(10);
    await direct.call('ACL', 'SETUSER', 'carillon', ...rights);
  });

  ledgerConformance('the ledger with the documented rights', {
    open: () => openLedger({ client: client(), packedMarks: 1_000 }),
    timeoutMs: 60_000,
  });

  test('it reaches no keys but its own, and can’t empty the server', async () => {
    const own = new Redis(client());
    await expect(own.get('other')).rejects.toThrow('NOPERM');
    await expect(own.flushall()).rejects.toThrow('NOPERM');
    await expect(own.keys('*')).rejects.toThrow('NOPERM');
    own.disconnect();
  });

  test('every right is needed', () => {
    const source = ['record', 'mark', 'acquire', 'renew', 'commit', 'read', 'due', 'expire']
      .map((name) =>
        readFileSync(join(import.meta.dirname, `../../../packages/redis-dedupe/src/scripts/${name}.ts`), 'utf8'),
      )
      .join('');
    const called = new Set(
      Array.from(source.matchAll(/redis\.call\('([A-Z]+)'/g), ([, command]) => command!.toLowerCase()),
    );
    for (const command of called) expect(rights).toContain(`+${command}`);
    const asked = new Set([...called, 'eval', 'evalsha', 'zrangebylex', 'info', 'config|get', 'wait', 'quit']);
    const given = rights.filter((right) => right.startsWith('+')).map((right) => right.slice(1));
    expect(given.filter((right) => !asked.has(right))).toEqual([]);
  });
});
