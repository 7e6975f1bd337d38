// Faults: lost answers, forgotten scripts, a server that is gone or full, and what the ledger makes of them.

import { redis } from '@carillon/redis-dedupe';
import type { Finding, RedisLedgerOptions } from '@carillon/redis-dedupe';
import type { Claim, Grant } from '@carillon/core/spi';
import { systemClock } from '@carillon/core/spi';
import { startRedis, startTcpProxy } from '@carillon/services';
import type { RedisServer, TcpProxy } from '@carillon/services';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { jobContent, jobKey } from './job-content.js';
import { onFinding, until } from './redis-fixture.js';

let server: RedisServer;
let proxy: TcpProxy;
let direct: Redis;
beforeAll(async () => {
  server = await startRedis({ appendfsync: 'always' });
  proxy = await startTcpProxy({ target: server.port });
});
beforeEach(async () => {
  direct = new Redis(server.url);
  direct.on('error', () => {}); // it is killed on purpose
  await direct.flushall();
  await proxy.heal();
});
afterEach(() => direct.disconnect());
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

const key = jobKey('a');
const place = { do: 'put', key, expect: { absent: true }, content: jobContent() } as const;
const claimOf = (nonce: string): Claim => ({ key, generation: 1, holder: 'engine-a', nonce, leaseMs: 60_000 });

async function opened(options: RedisLedgerOptions = {}) {
  const ledger = redis({ client: { host: '127.0.0.1', port: proxy.port }, timeoutMs: 1_000, onFinding, ...options });
  await ledger.open();
  return ledger;
}

function granted(answer: { answer: string } | undefined): Grant {
  if (answer?.answer !== 'granted') throw new Error(`Expected a grant, not ${answer?.answer}.`);
  return answer as unknown as Grant;
}

test('L4: a claim whose answer was lost is granted once, to the same asker', async () => {
  const ledger = await opened();
  await ledger.commit([{ nonce: 'place', writes: [place], durable: true }]);
  const dropped = proxy.dropNextReply('claim-1');
  const first = ledger.acquire([claimOf('claim-1')]).catch(() => undefined); // sent again, or told to its caller
  await dropped;
  await first;
  const grant = await until(async () => granted((await ledger.acquire([claimOf('claim-1')]))[0]));
  expect(grant.record).toMatchObject({ version: 2, interrupted: [] });
  expect(await ledger.acquire([claimOf('claim-2')])).toMatchObject([{ answer: 'busy' }]);
  await ledger.close();
});

test('L4: a change whose answer was lost is made once', async () => {
  const ledger = await opened();
  const change = { nonce: 'place', writes: [place], durable: true };
  const dropped = proxy.dropNextReply('place');
  const first = ledger.commit([change]).catch(() => undefined);
  await dropped;
  await first;
  expect(await until(() => ledger.commit([change]))).toEqual([{ answer: 'ok' }]);
  expect(await ledger.read([key])).toMatchObject([{ version: 1 }]);
  await ledger.close();
});

test('P5: a value that is no record of this version fails nothing that is asked beside it', async () => {
  const found: Finding[] = [];
  const hear = (finding: Finding): void => void (finding.concern === 'unreadable' && found.push(finding));
  const ledger = await opened({ onFinding: hear });
  const other = jobKey('b');
  await ledger.commit([{ nonce: 'place', writes: [place], durable: true }]);
  const [stored] = await direct.keysBuffer('*{00}????????????????');
  const packed = (await direct.getBuffer(stored!))!;
  await ledger.commit([{ nonce: 'other', writes: [{ ...place, key: other }], durable: true }]);
  const { fence } = granted((await ledger.acquire([claimOf('claim-1')]))[0]);
  const renewals = [{ key, fence, leaseMs: 60_000 }];
  let version = 1;
  const later = Buffer.concat([Buffer.from([2]), packed.subarray(1)]);
  for (const value of [
    later,
    Buffer.from('hello'),
    packed.subarray(0, 30),
    packed.subarray(0, -40),
    Buffer.from([255]),
  ]) {
    await direct.set(stored!, value);
    const claim = { ...claimOf(`other-${version}`), key: other, leaseMs: 0 };
    const answers = await ledger.acquire([claimOf('again'), claim]);
    expect(answers).toMatchObject([{ answer: 'unreadable', reason: expect.any(String) }, { answer: 'granted' }]);
    version += 1;
    expect(await ledger.renew(renewals)).toEqual([{ answer: 'lost' }]);
    const held = { do: 'put', key, expect: { version: 2, fence }, content: jobContent() } as const;
    const put = { do: 'put', key: other, expect: { version }, content: jobContent() } as const;
    const changes = [held, { ...held, expect: { version: 2 } }, put].map((write, index) => ({
      nonce: `${version}-${index}`,
      writes: [write],
      durable: true,
    }));
    expect((await ledger.commit(changes)).map(({ answer }) => answer)).toEqual(['lost', 'failed', 'ok']);
    version += 1;
    await expect(ledger.read([key])).rejects.toMatchObject({ code: 'E_STORE_VERSION' });
    expect(await ledger.read([other])).toMatchObject([{ version }]);
    const seen = [ledger.list({ kind: 'job', limit: 9 }), ledger.due({ queues: ['default'], before: 9e15, limit: 9 })];
    for (const page of await Promise.all(seen)) expect(page.records.map((record) => record.key.id)).toEqual(['b']);
    expect(await direct.getBuffer(stored!)).toEqual(value); // it is left as it was
  }
  expect(found.map(({ message }) => message)).toEqual([expect.stringContaining('{00}')]); // told, once for each record
  await ledger.close();
});

test('C1: sends a script again that the server has forgotten', async () => {
  const ledger = await opened();
  await ledger.commit([{ nonce: 'place', writes: [place], durable: true }]);
  await direct.script('FLUSH');
  granted((await ledger.acquire([claimOf('claim-1')]))[0]);
  await direct.script('FLUSH');
  expect(await ledger.read([key])).toMatchObject([{ version: 2 }]);
  await ledger.close();
});

test('C2: fails calls while the server is gone, and goes on when it is back, with everything it answered', async () => {
  const ledger = await opened();
  await ledger.commit([{ nonce: 'place', writes: [place], durable: true }]);
  const { fence } = granted((await ledger.acquire([claimOf('claim-1')]))[0]);
  await server.kill();
  await expect(ledger.now()).rejects.toBeInstanceOf(Error);
  await expect(ledger.acquire([claimOf('claim-2')])).rejects.toBeInstanceOf(Error);
  await server.restart();
  await until(() => ledger.now());
  expect(await ledger.read([key])).toMatchObject([{ version: 2, fence, lease: { nonce: 'claim-1' } }]);
  expect(await ledger.renew([{ key, fence, leaseMs: 60_000 }])).toMatchObject([{ answer: 'ok' }]);
  await ledger.close();
});

test('C2: fails a call that hangs, within its time-out', async () => {
  const ledger = await opened({ timeoutMs: 200 });
  proxy.freeze();
  await expect(ledger.now()).rejects.toBeInstanceOf(Error);
  await expect(ledger.read([key])).rejects.toBeInstanceOf(Error);
  await proxy.heal();
  expect(await until(() => ledger.read([key]))).toEqual([undefined]);
  await ledger.close();
});

test('R2: with its memory full nothing begins, and what has begun is renewed and recorded', async () => {
  const ledger = await opened();
  await ledger.commit([{ nonce: 'place', writes: [place], durable: true }]);
  const { fence, record } = granted((await ledger.acquire([claimOf('claim-1')]))[0]);
  await direct.config('SET', 'maxmemory', '1');
  try {
    const other = { ...place, key: jobKey('b') };
    const placing = ledger.commit([{ nonce: 'other', writes: [other], durable: true }]);
    await expect(placing).rejects.toMatchObject({ code: 'E_STORE_FULL' });
    await direct.script('FLUSH');
    const placingAnew = ledger.commit([{ nonce: 'anew', writes: [other], durable: true }]);
    await expect(placingAnew).rejects.toMatchObject({ code: 'E_STORE_FULL' });
    const claiming = ledger.acquire([{ ...claimOf('claim-2'), key: other.key, create: jobContent() }]);
    await expect(claiming).rejects.toMatchObject({ code: 'E_STORE_FULL' });
    expect(await ledger.renew([{ key, fence, leaseMs: 60_000 }])).toMatchObject([{ answer: 'ok' }]);
    const done = jobContent({ state: 'done', wakeAt: undefined });
    const finish = { do: 'put', key, expect: { version: record.version, fence }, content: done } as const;
    expect(await ledger.commit([{ nonce: 'finish', writes: [finish], durable: true }])).toEqual([{ answer: 'ok' }]);
    expect(await ledger.read([key, other.key])).toMatchObject([{ state: 'done' }, undefined]);
  } finally {
    await direct.config('SET', 'maxmemory', '0');
  }
  await ledger.close();
});

test('P4: a change that meets full memory leaves nothing of itself, whatever stands first in it', async () => {
  const ledger = await opened();
  await ledger.commit([{ nonce: 'place', writes: [place], durable: true }]);
  await direct.config('SET', 'maxmemory', '1');
  const writes = [{ do: 'remove', key, expect: { version: 1 } } as const, { ...place, key: jobKey('b') }];
  try {
    await expect(ledger.commit([{ nonce: 'both', writes, durable: true }])).rejects.toMatchObject({
      code: 'E_STORE_FULL',
    });
  } finally {
    await direct.config('SET', 'maxmemory', '0');
  }
  expect(await ledger.read([key, jobKey('b')])).toMatchObject([{ version: 1 }, undefined]);
  expect((await ledger.due({ queues: ['default'], before: 2_000, limit: 10 })).records).toHaveLength(1);
  await ledger.close();
});

test('L2: the fence grows though the server lost everything, and though its clock was set back', async () => {
  const ledger = await opened();
  await ledger.commit([{ nonce: 'place', writes: [place], durable: true }]);
  const first = granted((await ledger.acquire([claimOf('claim-1')]))[0]);
  await direct.flushall();
  await ledger.commit([{ nonce: 'place again', writes: [place], durable: true }]);
  const second = granted((await ledger.acquire([{ ...claimOf('claim-2'), leaseMs: 1 }]))[0]);
  expect(second.fence).toBeGreaterThan(first.fence);
  await ledger.close();

  const at = 2_000; // in 1970
  const back = await opened({ clock: { ...systemClock, now: () => at } });
  const held = { version: second.record.version, fence: second.fence };
  const release = { do: 'put', key, expect: held, content: jobContent() } as const;
  expect(await back.commit([{ nonce: 'release', writes: [release], durable: true }])).toEqual([{ answer: 'ok' }]);
  const third = granted((await back.acquire([claimOf('claim-3')]))[0]);
  expect(third.fence).toBe(second.fence + 1);
  await back.close();
});
