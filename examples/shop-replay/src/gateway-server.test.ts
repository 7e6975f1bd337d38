import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Acceptance, MailRequest } from './evidence.js';
import { GatewayServer } from './gateway-server.js';

let effects: Acceptance[];
let gateway: GatewayServer;
let url: string;

beforeEach(async () => {
  effects = [];
  gateway = new GatewayServer({ append: async (effect) => void effects.push(effect) });
  url = await gateway.listen();
});

afterEach(() => gateway.close());

async function post(mail: Partial<MailRequest>, key: string, signal?: AbortSignal): Promise<number> {
  const body = JSON.stringify({ kind: 'review', row: 1, customer: 'ann', worker: 'worker-1.1', attempt: 1, ...mail });
  const headers = { 'idempotency-key': key };
  const { status } = await fetch(`${url}/mails`, { method: 'POST', headers, body, ...(signal && { signal }) });
  return status;
}

it('accepts a request, and absorbs a repeat with its idempotency key (G2)', async () => {
  expect(await post({}, 'review-1')).toBe(202);
  expect(await post({ attempt: 2 }, 'review-1')).toBe(200);
  expect(await post({ row: 2 }, 'review-2')).toBe(202);
  expect(effects.map(({ row, attempt, absorbed }) => [row, attempt, absorbed])).toEqual([
    [1, 1, false],
    [1, 2, true],
    [2, 1, false],
  ]);
  expect(gateway.sent).toBe(2);
});

it('holds one answer back when it is told to, with the request accepted (G3)', async () => {
  const held = gateway.hold(['worker-2.1', 'worker-3.1']);
  const hangUp = new AbortController();
  expect(await post({}, 'review-1')).toBe(202); // another worker's
  expect(await post({ worker: 'worker-2.1', kind: 'win-back' }, 'win-back-1')).toBe(202); // it may have no next attempt
  const unanswered = post({ worker: 'worker-2.1' }, 'review-2', hangUp.signal);
  expect(await held).toMatchObject({ worker: 'worker-2.1', idempotencyKey: 'review-2' });
  expect(effects).toHaveLength(3);
  expect(await post({ worker: 'worker-2.1' }, 'review-3')).toBe(202); // only one is held
  hangUp.abort();
  await expect(unanswered).rejects.toThrow('aborted');
});

it('refuses what is no request for a mail', async () => {
  expect((await fetch(url)).status).toBe(400);
  expect((await fetch(`${url}/mails`, { method: 'POST', body: '{}' })).status).toBe(400);
  expect(effects).toEqual([]);
});
