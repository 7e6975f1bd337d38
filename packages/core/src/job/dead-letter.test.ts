import { expect, test } from 'vitest';
import { jobRecord } from '../message/names.js';
import type { LedgerRecord, Write } from '../ports/ledger.js';
import type { Delivery } from '../ports/transport.js';
import { lostRecord, malformedRecord, NO_TASK } from './dead-letter.js';
import { viewJob } from './view.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');

function deliveryOf(body: Uint8Array): Delivery {
  const ok = async (): Promise<'ok'> => 'ok';
  return { queue: 'app/mail', body, attempt: 1, ack: ok, extend: ok, release: ok };
}
function recordOf(write: Write): LedgerRecord {
  if (write.do !== 'put') throw new Error('nothing is put');
  expect(write.expect).toEqual({ absent: true }); // never in the place of what is there
  return { ...write.content, key: write.key, version: 1, fence: 0, lease: undefined, interrupted: [] };
}

test('I8: a malformed message is listed with its reason and its bytes', () => {
  const { id, write } = malformedRecord('app', 'id', deliveryOf(Buffer.from('{oops')), 'not JSON', NOW);
  const record = recordOf(write);
  expect(id).toBe('id');
  expect(record).toMatchObject({ key: jobRecord('app', 'id'), wakeAt: undefined, expiresAt: NOW + 30 * 86_400_000 });
  expect(viewJob('app', record)).toMatchObject({
    id: 'id',
    task: NO_TASK,
    queue: 'mail',
    state: 'dead',
    reason: 'malformed message: not JSON',
    payload: { bytes: 5, base64: Buffer.from('{oops').toString('base64') },
    placedAt: new Date(NOW),
  });
});

test('of a large one, the head is kept and the size is told', () => {
  const { write } = malformedRecord('', 'id', deliveryOf(new Uint8Array(1_000_000)), 'too long', NOW);
  const { bytes, base64 } = viewJob('', recordOf(write)).payload as { bytes: number; base64: string };
  expect(bytes).toBe(1_000_000);
  expect(Buffer.from(base64, 'base64')).toHaveLength(4_096);
});

test('I8: a message whose record is lost is listed under its own id and task', () => {
  const envelope = { key: jobRecord('app', 'id'), generation: 42, task: 't', dueAt: NOW - 5, hop: 0 };
  const { id, write } = lostRecord('app', envelope, 'app/mail', NOW);
  expect(id).toBe('id');
  expect(recordOf(write)).toMatchObject({ key: envelope.key, generation: 42, dueAt: NOW - 5, state: 'dead' });
  expect(viewJob('app', recordOf(write))).toMatchObject({ task: 't', reason: 'record lost', settledAt: new Date(NOW) });
});
