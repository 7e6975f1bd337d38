import { describe, expect, test } from 'vitest';
import { aliasRecord } from '../message/names.js';
import type { LedgerRecord, Write } from '../ports/ledger.js';
import { resolveTask } from '../task/options.js';
import { defineTask } from '../task/task.js';
import { aliasTaken, aliasWrite, partitionOfAlias } from './alias.js';
import { type Candidate, candidate, type ScheduleFields } from './candidate.js';

const NOW = Date.parse('2027-01-15T12:00:00.000Z');

function call(fields: ScheduleFields, task = 't'): Candidate {
  const context = { namespace: 'app', maxBytes: 1_000, now: NOW, mint: () => 'minted' };
  return candidate(resolveTask(defineTask(task)), {}, fields, context);
}
function stored(write: Write | undefined): LedgerRecord {
  if (write?.do !== 'put') throw new Error('nothing is put');
  return { ...write.content, key: write.key, version: 1, fence: 0, lease: undefined, interrupted: [] };
}

describe('N1: an own id leads to the job where its key put it', () => {
  test('own id and key: the alias knows the partition', () => {
    const placement = call({ id: 'mine', key: 'k' });
    const alias = stored(aliasWrite(placement));
    expect(alias).toMatchObject({ key: aliasRecord('app', 'mine'), wakeAt: undefined, outbox: [] });
    expect(partitionOfAlias(alias)).toBe(placement.job.record.partition);
  });

  test.each<[string, ScheduleFields, number]>([
    ["its task's keep", {}, 30],
    ["its call's keep", { keep: '100d' }, 100],
  ])('the alias outlives its job: its due time, twice %s, and a year', (_name, fields, keepDays) => {
    const alias = stored(aliasWrite(call({ id: 'mine', key: 'k', in: '5d', ...fields })));
    expect(alias.expiresAt).toBe(NOW + (5 + 2 * keepDays + 366) * 86_400_000);
  });

  test.each<[string, ScheduleFields]>([
    ['a minted id', {}],
    ['a minted id with a key', { key: 'k' }],
    ['an own id without a key', { id: 'mine' }],
  ])('%s needs none', (_name, fields) => {
    expect(aliasWrite(call(fields))).toBeUndefined();
  });

  test('nor does an own id that says where its key is', () => {
    const { partition } = call({ key: 'k' }).job.record;
    expect(aliasWrite(call({ id: `mine-${partition}`, key: 'k' }))).toBeUndefined();
  });
});

describe('N2: an id means one job', () => {
  const alias = stored(aliasWrite(call({ id: 'mine', key: 'k' })));

  test('a repeated call meets its own alias', () => {
    expect(aliasTaken(call({ id: 'mine', key: 'k' }), alias)).toBeUndefined();
    expect(aliasTaken(call({ id: 'mine', key: 'k' }), undefined)).toBeUndefined();
  });

  test('another key, or another task, is refused', () => {
    for (const other of [call({ id: 'mine', key: 'other' }), call({ id: 'mine', key: 'k' }, 'u')])
      expect(aliasTaken(other, alias)).toMatchObject({ code: 'E_ID_REUSED', id: 'mine' });
  });
});
